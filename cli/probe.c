/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe.c: pmemshim probe: what would happen to a file at a path, and why.
 *
 * Design: one path after the other, each independent of the others; see
 * probe.h for how one is looked at.
 */
#include "cli/probe.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "config/mounts.h"

/* The exit statuses of this command. */
enum { ALL_USER = 0, NOT_ALL = 1, TROUBLE = 2 };

enum { KEY_JSON = 0x100, KEY_NO_COST };

struct request {
	char **paths;
	size_t npaths;
	struct json json;
	bool wants_json, no_cost;
	int status;
	size_t shown;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	(void)arg;
	switch (key) {
	case KEY_JSON:
		request->wants_json = true;
		return 0;
	case KEY_NO_COST:
		request->no_cost = true;
		return 0;
	case ARGP_KEY_ARG:
		/* The first one, and with it all the others. */
		request->paths = state->argv + state->next - 1;
		request->npaths = (size_t)(state->argc - state->next) + 1;
		state->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void note(struct request *request, int status)
{
	if (status > request->status)
		request->status = status;
}

static void say_error(struct request *request, const char *path, int err)
{
	note(request, TROUBLE);
	cli_error("%s: %s", path, probe_error(-err));
	if (!request->wants_json)
		return;
	json_object(&request->json, NULL);
	json_string(&request->json, "asked", path);
	json_string(&request->json, "outcome", "error");
	json_string(&request->json, "error", probe_error(-err));
	json_close(&request->json);
}

static int look(struct probe *p, bool no_cost)
{
	int err = probe_open(p);

	if (err == 0)
		err = probe_look(p);
	if (err)
		return err;
	probe_decide(p);
	probe_why(p);
	if (p->target == PROBE_OTHER)
		return 0;
	probe_pages(p);
	if (!no_cost)
		probe_cost(p);
	return 0;
}

static void show(struct request *request, const struct probe *p)
{
	if (request->wants_json) {
		probe_print_json(&request->json, p);
		return;
	}
	if (request->shown++)
		putchar('\n');
	probe_print(p);
}

static void probe_path(struct request *request, const char *path)
{
	struct probe *p = cli_alloc(sizeof(*p));
	int err;

	p->asked = path;
	err = look(p, request->no_cost);
	if (err) {
		say_error(request, path, err);
	} else {
		if (p->outcome != PROBE_USER && p->outcome != PROBE_ASSUMED)
			note(request, NOT_ALL);
		show(request, p);
	}
	probe_close(p);
	free(p);
}

static bool probe_mount_point(void *arg, const char *path)
{
	struct request *request = arg;

	request->npaths++;
	probe_path(request, *path ? path : "/");
	return true;
}

static void no_mounts(struct request *request)
{
	static const char text[] =
		"no DAX mount here; with persistent memory: ndctl create-namespace -m fsdax, mkfs.ext4 /dev/pmem0, mount -o dax /dev/pmem0 DIRECTORY";

	note(request, NOT_ALL);
	if (!request->wants_json)
		puts(text);
}

static void probe_all(struct request *request)
{
	size_t i;
	int err;

	if (request->npaths > 0) {
		for (i = 0; i < request->npaths; i++)
			probe_path(request, request->paths[i]);
		return;
	}
	err = mounts_walk_dax("/proc/self/mountinfo", "/sys",
			      probe_mount_point, request);
	if (err)
		say_error(request, "/proc/self/mountinfo", err);
	else if (request->npaths == 0)
		no_mounts(request);
}

static void probe_all_json(struct request *request)
{
	struct json *json = &request->json;

	json_begin(json, stdout);
	json_object(json, NULL);
	probe_print_cpu_json(json);
	json_array(json, "paths");
	probe_all(request);
	json_close(json);
	json_close(json);
	json_end(json);
}

int cli_probe(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", KEY_JSON, NULL, 0, "Write JSON", 0 },
		{ "no-cost", KEY_NO_COST, NULL, 0,
		  "Do not measure what a persist and an msync cost", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[PATH...]",
		.doc = "Says what the shim, as the environment configures it, would do with a file at each PATH, and why. PATH is a file, a directory (any new file in it), or a file that could be made. Without PATH: every DAX mount."
		       "\v"
		       "No existing file is changed: what has to be written is written to a temporary file that has no name.\n\n"
		       "Exit status: 0 when every path would be persisted from user space, 1 when some would not, 2 on errors.",
	};
	struct request request = { 0 };

	cli_parse(&argp, argc, argv, 0, TROUBLE, &request);
	probe_start();
	if (request.wants_json)
		probe_all_json(&request);
	else
		probe_all(&request);
	return cli_close_stdout(request.status, TROUBLE);
}
