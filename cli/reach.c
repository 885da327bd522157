/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reach.c: will preloading reach a program? See reach.h.
 *
 * Design: every circumstance is one reason with the verdict that it forces;
 * the worst one wins. What does not change the verdict is a note.
 */
#include "cli/reach.h"

#include <elf.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/cli.h"

/* The kernel gives up at the same number of interpreters of interpreters. */
#define SCRIPTS_MAX	5
#define SCRIPT_LINE	256

const char *const reach_words[] = {
	[REACH_YES] = "yes",
	[REACH_PARTLY] = "partly",
	[REACH_NO] = "no",
	[REACH_UNKNOWN] = "unknown",
};

static void add_text(struct reach_texts *texts, char *text)
{
	texts->text = cli_realloc(texts->text,
				  (texts->n + 1) * sizeof(*texts->text));
	texts->text[texts->n++] = text;
}

static void because(struct reach *reach, enum reach_verdict verdict,
		    char *reason)
{
	if (verdict > reach->verdict)
		reach->verdict = verdict;
	add_text(&reach->reasons, reason);
}

/* --- Names -------------------------------------------------------------------*/

/* 0, or the errno of what stands in the way of executing it. */
static int not_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		return EACCES;
	return 0;
}

static char *find_in_path(const char *name, int *status)
{
	const char *list = getenv("PATH");
	char *path;
	size_t len;
	int err;

	*status = 127;
	if (!list)
		list = "/bin:/usr/bin";
	for (;; list += len + 1) {
		len = strcspn(list, ":");
		path = cli_format("%.*s%s%s", (int)len, list, len ? "/" : "",
				  name);
		err = not_executable(path);
		if (err == 0)
			return path;
		if (err == EACCES)
			*status = 126;
		free(path);
		if (!list[len])
			return NULL;
	}
}

char *reach_find(const char *name, int *status)
{
	int err;

	if (!strchr(name, '/'))
		return *name ? find_in_path(name, status)
			     : (*status = 127, NULL);
	err = not_executable(name);
	if (err == 0)
		return cli_strdup(name);
	*status = err == ENOENT || err == ENOTDIR ? 127 : 126;
	return NULL;
}

/* For check, what cannot be executed can still be looked at. */
static char *find_file(const char *name)
{
	int status;
	char *path = reach_find(name, &status);

	if (!path && access(name, F_OK) == 0)
		path = cli_strdup(name);
	return path;
}

/* --- The program file ---------------------------------------------------------*/

static void judge_set_id(struct reach *reach, const struct stat *st)
{
	const struct passwd *user;

	if (st->st_mode & S_ISUID) {
		user = getpwuid(st->st_uid);
		because(reach, REACH_NO,
			user ? cli_format("set-user-ID %s: for other users, ld.so ignores what is to be preloaded",
					  user->pw_name)
			     : cli_format("set-user-ID %u: for other users, ld.so ignores what is to be preloaded",
					  st->st_uid));
	} else if ((st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) {
		because(reach, REACH_NO,
			cli_format("set-group-ID %u: outside that group, ld.so ignores what is to be preloaded",
				   st->st_gid));
	}
}

static void judge_rights(struct reach *reach)
{
	struct statvfs fs;
	struct stat st;

	/* Neither counts on a file system mounted with nosuid. */
	if (stat(reach->path, &st) != 0 || statvfs(reach->path, &fs) != 0 ||
	    (fs.f_flag & ST_NOSUID))
		return;
	judge_set_id(reach, &st);
	if (getxattr(reach->path, "security.capability", NULL, 0) > 0)
		because(reach, REACH_NO,
			cli_strdup("it has file capabilities: ld.so ignores what is to be preloaded"));
}

static void judge_machine(struct reach *reach, const struct elf_file *elf)
{
	const char *name = elf_machine_name(elf->machine);
	char *machine = name ? cli_strdup(name)
			     : cli_format("machine %u", elf->machine);

	reach->kind = "foreign";
	because(reach, REACH_NO,
		cli_format("for another machine or word size (%s, %u bits) than the library",
			   machine, elf->bits));
	free(machine);
}

static void judge_interp(struct reach *reach, const char *interp)
{
	const char *name = loader_name(interp);

	if (!strncmp(name, "ld-musl", 7))
		because(reach, REACH_NO,
			cli_strdup("linked with musl: the library needs glibc"));
	else if (access(interp, X_OK) != 0)
		because(reach, REACH_NO,
			cli_format("its interpreter %s cannot be executed: %s",
				   interp, strerror(errno)));
	else if (strncmp(name, "ld-linux", 8) && strncmp(name, "ld64.so", 7) &&
		 strncmp(name, "ld-2.", 5) && strncmp(name, "ld.so", 5))
		because(reach, REACH_PARTLY,
			cli_format("its interpreter %s may not be glibc's",
				   interp));
}

/* What kind of file it is; false: nothing of it can be reached. */
static bool judge_kind(struct reach *reach, const struct elf_file *elf)
{
	if (!elf->native) {
		judge_machine(reach, elf);
		return false;
	}
	if (elf->type != ET_EXEC && elf->type != ET_DYN) {
		reach->kind = "other";
		because(reach, REACH_NO,
			cli_strdup(elf->type == ET_REL
					   ? "an object file, not a program"
					   : "an ELF file, but not a program"));
		return false;
	}
	if (elf->interp) {
		reach->kind = "dynamic";
		judge_interp(reach, elf->interp);
		return true;
	}
	if (elf->type == ET_DYN && elf->dynamic && !elf->pie) {
		reach->kind = "library";
		return true;
	}
	reach->kind = elf->type == ET_DYN ? "static-pie" : "static";
	because(reach, REACH_NO,
		cli_format("a %s program: it has no interpreter that could preload anything",
			   reach->kind));
	return false;
}

/* --- What it loads and calls --------------------------------------------------*/

static bool is_copy(enum elf_function function)
{
	return function >= ELF_memcpy;
}

/* The names of the functions that are set and (not) copies; NULL: none. */
static char *list_functions(const bool set[ELF_FUNCTIONS], bool copies)
{
	char *list = NULL, *longer;
	unsigned int i;

	for (i = 0; i < ELF_FUNCTIONS; i++) {
		if (!set[i] || is_copy((enum elf_function)i) != copies)
			continue;
		longer = cli_format("%s%s%s", list ? list : "",
				    list ? ", " : "", elf_function_names[i]);
		free(list);
		list = longer;
	}
	return list;
}

/* The program stands before what is preloaded; its definitions win. */
static void judge_defines(struct reach *reach, const struct elf_file *elf)
{
	char *calls = list_functions(elf->defines, false);
	char *copies = list_functions(elf->defines, true);

	if (calls)
		because(reach, REACH_PARTLY,
			cli_format("it has its own %s, which the library cannot replace",
				   calls));
	if (copies)
		add_text(&reach->notes,
			 cli_format("it has its own %s: such copies wait for the next msync",
				    copies));
	free(calls);
	free(copies);
}

static void judge_syscalls(struct reach *reach, const struct elf_file *elf,
			   const char *name)
{
	char *list = list_functions(elf->syscalls_to, false);
	char *text;

	if (elf->syscalls == 0)
		return;
	text = cli_format("%s enters the kernel by itself: %u syscall instruction%s",
			  name, elf->syscalls, elf->syscalls == 1 ? "" : "s");
	if (list)
		because(reach, REACH_PARTLY,
			cli_format("%s, for %s among others", text, list));
	else if (elf->syscalls_any)
		because(reach, REACH_PARTLY,
			cli_format("%s, %u of which may be for anything", text,
				   elf->syscalls_any));
	else
		add_text(&reach->notes,
			 cli_format("%s, none for an interposed function", text));
	free(text);
	free(list);
}

/* What these do by themselves is not the program's doing. */
static bool is_sanitizer(const char *name)
{
	static const char *const names[] = {"libasan.so.", "libhwasan.so.",
					    "liblsan.so.", "libtsan.so.",
					    "libubsan.so."};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

/*
 * A reason only in the file that was asked for: libmount, which half of all
 * programs need, does it for a library that hardly any of them ever load.
 */
static void judge_deepbind(struct reach *reach,
			   const struct loader_object *object, const char *name)
{
	const struct elf_file *elf = &object->elf;
	char *text;

	if (!elf->calls_dlopen || (!elf->deepbind_calls && !elf->names_deepbind))
		return;
	text = cli_format("%s %s load libraries with RTLD_DEEPBIND, whose calls pass the shim by",
			  name, elf->deepbind_calls ? "seems to" : "may");
	if (elf->deepbind_calls && !object->parent)
		because(reach, REACH_PARTLY, text);
	else
		add_text(&reach->notes, text);
}

static void judge_object(struct reach *reach,
			 const struct loader_object *object)
{
	const struct elf_file *elf = &object->elf;
	const char *name = loader_name(object->path);

	if (object->damage) {
		because(reach, REACH_NO,
			cli_format("%s, which it needs, is damaged: %s",
				   object->path, object->damage));
		return;
	}
	if (object->libc)
		return;
	if (elf->go)
		because(reach, REACH_PARTLY,
			cli_format("%s is written in Go, which makes system calls itself; only calls by C code are reached",
				   name));
	else if (!is_sanitizer(name))
		judge_syscalls(reach, elf, name);
	judge_deepbind(reach, object, name);
	if (elf->calls_dlmopen)
		add_text(&reach->notes,
			 cli_format("%s calls dlmopen: libraries in a namespace of their own are not reached",
				    name));
	if (!strncmp(name, "libasan.so.", 11) && !reach->asan)
		reach->asan = cli_strdup(object->path);
}

static void judge_missing(struct reach *reach)
{
	size_t i;

	for (i = 0; i < reach->loader.nmissing; i++) {
		const struct loader_missing *missing = &reach->loader.missing[i];

		because(reach, REACH_NO,
			cli_format("%s, which %s needs, was not found",
				   missing->name,
				   loader_name(missing->parent->path)));
	}
	if (reach->loader.too_many)
		because(reach, REACH_PARTLY,
			cli_strdup("it needs too many libraries; some were not looked at"));
}

static bool may_load(const struct loader *loader)
{
	size_t i;

	for (i = 0; i < loader->nobjects; i++)
		if (!loader->objects[i]->libc &&
		    loader->objects[i]->elf.calls_dlopen)
			return true;
	return false;
}

static void judge_elf(struct reach *reach)
{
	const struct elf_file *elf = &reach->loader.objects[0]->elf;
	size_t i;

	if (!judge_kind(reach, elf)) {
		if (elf->go)
			because(reach, REACH_NO,
				cli_strdup("written in Go, which makes system calls itself"));
		judge_rights(reach);
		return;
	}
	judge_rights(reach);
	judge_missing(reach);
	if (!strcmp(reach->kind, "dynamic"))
		judge_defines(reach, elf);
	for (i = 0; i < reach->loader.nobjects; i++)
		judge_object(reach, reach->loader.objects[i]);
	if (!strcmp(reach->kind, "library"))
		add_text(&reach->notes,
			 cli_strdup("a library: it is reached in every program that preloading reaches"));
	if (reach->asan)
		add_text(&reach->notes,
			 cli_format("built with AddressSanitizer, whose runtime must be preloaded first: LD_PRELOAD=%s:LIBRARY, as pmemshim run does",
				    reach->asan));
	if (may_load(&reach->loader))
		add_text(&reach->notes,
			 cli_strdup("it can load further libraries while it runs; name them, too, to have them checked"));
}

/* --- Scripts -------------------------------------------------------------------*/

static struct reach *judge(const char *name, unsigned int depth);

/* The next word of *text, ended by a zero; NULL: none. */
static char *next_word(char **text)
{
	return strtok_r(NULL, " \t", text);
}

/*
 * The command that env(1) starts, given the one argument that the kernel makes
 * of the rest of the line. NULL: none, or LD_PRELOAD does not get through.
 */
static char *env_command(struct reach *reach, char *rest)
{
	char *word;

	while ((word = next_word(&rest)) != NULL) {
		if (!strcmp(word, "-i") || !strcmp(word, "-") ||
		    !strncmp(word, "--ignore", 8) ||
		    !strncmp(word, "-uLD_PRELOAD", 12) ||
		    !strncmp(word, "LD_PRELOAD=", 11)) {
			because(reach, REACH_NO,
				cli_format("its first line takes LD_PRELOAD away: env %s",
					   word));
			return NULL;
		}
		if (!strcmp(word, "-u") || !strcmp(word, "-C"))
			next_word(&rest);
		else if (!strncmp(word, "-S", 2) && word[2])
			return word + 2;
		else if (word[0] != '-' && !strchr(word, '='))
			return word;
	}
	because(reach, REACH_NO, cli_strdup("its first line names no interpreter"));
	return NULL;
}

static void adopt(struct reach *reach, struct reach *interpreter)
{
	size_t i;

	reach->interpreter = interpreter;
	for (i = 0; i < interpreter->reasons.n; i++)
		because(reach, interpreter->verdict,
			cli_format("its interpreter %s: %s", interpreter->name,
				   interpreter->reasons.text[i]));
	if (interpreter->asan)
		reach->asan = cli_strdup(interpreter->asan);
	add_text(&reach->notes,
		 cli_strdup("a script: programs that it starts are each reached or not; name them, too, to have them checked"));
}

static void judge_script(struct reach *reach, char *line, unsigned int depth)
{
	char *rest = NULL, *interp;

	reach->kind = "script";
	line[strcspn(line, "\n")] = '\0';
	interp = strtok_r(line + 2, " \t", &rest);
	if (interp && !strcmp(loader_name(interp), "env"))
		interp = env_command(reach, rest);
	else if (!interp)
		because(reach, REACH_NO,
			cli_strdup("its first line names no interpreter"));
	if (!interp)
		return;
	if (depth + 1 == SCRIPTS_MAX) {
		because(reach, REACH_NO,
			cli_strdup("too many interpreters of interpreters"));
		return;
	}
	adopt(reach, judge(interp, depth + 1));
}

/* The first line, if it is a script's. */
static bool read_line(const char *path, char line[SCRIPT_LINE + 1])
{
	int fd = loader_open(path);
	ssize_t got;

	if (fd < 0)
		return false;
	got = pread(fd, line, SCRIPT_LINE, 0);
	close(fd);
	line[got < 0 ? 0 : got] = '\0';
	return line[0] == '#' && line[1] == '!';
}

/* --- The whole -------------------------------------------------------------*/

static void judge_failure(struct reach *reach, int err, const char *why,
			  unsigned int depth)
{
	char line[SCRIPT_LINE + 1];

	switch (err) {
	case -ENOEXEC:
		if (read_line(reach->path, line)) {
			judge_script(reach, line, depth);
			return;
		}
		because(reach, REACH_NO,
			cli_strdup("neither an ELF file nor a script"));
		return;
	case -EINVAL:
		because(reach, REACH_NO,
			cli_format("a damaged ELF file: %s", why));
		return;
	case -EISDIR:
		because(reach, REACH_NO, cli_strdup("a directory"));
		return;
	case -EMEDIUMTYPE:
		because(reach, REACH_NO, cli_strdup("not a regular file"));
		return;
	default:
		because(reach, REACH_UNKNOWN, cli_strdup(strerror(-err)));
	}
}

static struct reach *judge(const char *name, unsigned int depth)
{
	struct reach *reach = cli_alloc(sizeof(*reach));
	const char *why = NULL;
	int err;

	reach->name = cli_strdup(name);
	reach->kind = "other";
	reach->path = find_file(name);
	err = reach->path ? loader_load(reach->path, &reach->loader, &why)
			  : -ENOENT;
	if (err == 0)
		judge_elf(reach);
	else
		judge_failure(reach, err, why, depth);
	return reach;
}

struct reach *reach_judge(const char *name)
{
	return judge(name, 0);
}

static void free_texts(struct reach_texts *texts)
{
	size_t i;

	for (i = 0; i < texts->n; i++)
		free(texts->text[i]);
	free(texts->text);
}

void reach_free(struct reach *reach)
{
	if (!reach)
		return;
	reach_free(reach->interpreter);
	loader_free(&reach->loader);
	free_texts(&reach->reasons);
	free_texts(&reach->notes);
	free(reach->asan);
	free(reach->path);
	free(reach->name);
	free(reach);
}

static char *join(const char *first, const char *separator, const char *second)
{
	return cli_format("%s%s%s", first, separator, second);
}

/* "yes" says who calls msync: without that there is nothing to gain. */
static char *msync_callers(const struct reach *reach)
{
	const struct loader *loader = &reach->loader;
	char *list = NULL, *longer;
	size_t i;

	if (reach->interpreter)
		return msync_callers(reach->interpreter);
	for (i = 0; i < loader->nobjects; i++) {
		if (loader->objects[i]->libc ||
		    !elf_imports(&loader->objects[i]->elf, ELF_msync))
			continue;
		longer = join(list ? list : "", list ? ", " : "",
			      loader_name(loader->objects[i]->path));
		free(list);
		list = longer;
	}
	return list;
}

static bool can_load(const struct reach *reach)
{
	return reach->interpreter ? can_load(reach->interpreter)
				  : may_load(&reach->loader);
}

char *reach_sentence(const struct reach *reach)
{
	char *sentence, *longer, *callers;
	size_t i;

	if (reach->verdict != REACH_YES) {
		sentence = cli_strdup(reach->reasons.text[0]);
		for (i = 1; i < reach->reasons.n; i++) {
			longer = join(sentence, "; ", reach->reasons.text[i]);
			free(sentence);
			sentence = longer;
		}
		return sentence;
	}
	callers = msync_callers(reach);
	sentence = callers ? cli_format("preloading reaches it; msync is called by %s",
					callers)
			   : cli_format("preloading reaches it, but neither it nor a library that it needs calls msync%s",
					can_load(reach) ? " (one that it loads later may)"
							: "");
	free(callers);
	return sentence;
}
