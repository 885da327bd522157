/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab_environment.c: on what the numbers were taken, so that a report can be
 * read by somebody who was not there.
 */
#include "cli/ab.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/probe.h"

static void find_cpu(char *out, size_t size)
{
	char line[256], *text;
	FILE *file = fopen("/proc/cpuinfo", "re");

	snprintf(out, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		text = strchr(line, ':');
		if (strncmp(line, "model name", 10) || !text)
			continue;
		text += strspn(text, ": ");
		text[strcspn(text, "\n")] = '\0';
		snprintf(out, size, "%s", text);
		break;
	}
	if (file)
		fclose(file);
}

static void find_kernel(char *out, size_t size)
{
	struct utsname name;

	if (uname(&name) == 0)
		snprintf(out, size, "%s %s %s", name.sysname, name.release,
			 name.machine);
}

static void find_date(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc))
		strftime(out, size, "%Y-%m-%d %H:%M UTC", &utc);
}

/* As a shell would have to be given it. */
static void put_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";

	if (*word && word[strspn(word, plain)] == '\0') {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	putc('\'', out);
}

static char *quoted(char **words, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return cli_strdup(words[0]);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			putc(' ', out);
		put_word(out, words[i]);
	}
	fclose(out);
	return text;
}

/* "/mnt/pmem: ext4 on /dev/pmem0 (rw,dax=always)" */
static char *file_system(const char *path)
{
	const char *name = *path ? path : "/";
	struct probe_mount mount = {0};
	int fd = open(name, O_PATH | O_CLOEXEC);
	char *text;

	if (fd < 0)
		return cli_format("%s: %m", name);
	probe_mount(fd, &mount);
	close(fd);
	if (mount.type)
		text = cli_format("%s: %s on %s (%s)", name, mount.type,
				  mount.source, mount.options);
	else
		text = cli_format("%s: unknown", name);
	probe_mount_free(&mount);
	return text;
}

static void find_file_systems(struct ab_environment *environment,
			      const struct config *config)
{
	environment->nfile_systems = config->nrules;
	environment->file_systems = cli_alloc(config->nrules * sizeof(char *));
	for (size_t i = 0; i < config->nrules; i++)
		environment->file_systems[i] =
		    file_system(config->rules[i].path);
}

void ab_environment_fill(struct ab *ab, const struct config *config)
{
	struct ab_environment *environment = &ab->environment;
	const char *name = probe_hypervisor(&environment->emulated);

	find_cpu(environment->cpu, sizeof(environment->cpu));
	snprintf(environment->machine, sizeof(environment->machine), "%s",
		 name ? name : "none seen");
	find_kernel(environment->kernel, sizeof(environment->kernel));
	find_date(environment->date, sizeof(environment->date));
	environment->command = quoted(ab->options.command, ab->options.words);
	find_file_systems(environment, config);
}
