/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check.c: pmemshim check: will preloading reach a program, and which of its
 * calls? What reach.c found out, as text or as JSON.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/reach.h"

#define USAGE_STATUS	3	/* 0 to 2 are verdicts */
#define COLUMNS		80

struct arguments {
	bool json;
	bool brief;
	char **names;
	size_t n;
};

static const struct argp_option options[] = {
	{.name = "json", .key = 'j', .doc = "Print one JSON document"},
	{.name = "brief", .key = 'b', .doc = "Print the verdict lines only"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)arg;
	switch (key) {
	case 'j':
		arguments->json = true;
		return 0;
	case 'b':
		arguments->brief = true;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->names = state->argv + state->next;
		arguments->n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		cli_usage(state, "no program was named");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- Text ------------------------------------------------------------------*/

static char *import_text(const struct elf_import *import)
{
	const char *name = elf_function_names[import->function];

	return import->version ? cli_format("%s@%s", name, import->version)
			       : cli_strdup(name);
}

static int by_function(const void *a, const void *b)
{
	const struct elf_import *x = a, *y = b;

	return (int)x->function - (int)y->function;
}

static void print_imports(const struct elf_file *elf, int width)
{
	int column = width;
	size_t i;

	if (elf->nimports == 0) {
		puts(" -");
		return;
	}
	qsort(elf->imports, elf->nimports, sizeof(*elf->imports), by_function);
	for (i = 0; i < elf->nimports; i++) {
		char *text = import_text(&elf->imports[i]);
		int len = (int)strlen(text) + 1;

		if (column > width && column + len > COLUMNS) {
			printf("\n%*s", width, "");
			column = width;
		}
		putchar(' ');
		cli_print_text(stdout, text);
		column += len;
		free(text);
	}
	putchar('\n');
}

static void print_object(const struct loader_object *object, int width)
{
	const char *name = loader_name(object->path);

	printf("  ");
	cli_print_text(stdout, name);
	printf("%*s", width - 2 - (int)strlen(name), "");
	if (object->damage)
		puts(" damaged");
	else if (object->libc)
		printf(" %sthe C library%s\n", cli_style(stdout, CLI_DIM),
		       cli_style(stdout, CLI_PLAIN));
	else
		print_imports(&object->elf, width);
}

static void print_objects(const struct loader *loader)
{
	int width = 0, len;
	size_t i;

	for (i = 0; i < loader->nobjects; i++) {
		len = (int)strlen(loader_name(loader->objects[i]->path)) + 3;
		if (len > width)
			width = len;
	}
	printf("  %s%-*s interposed functions that it calls%s\n",
	       cli_style(stdout, CLI_DIM), width - 2, "file",
	       cli_style(stdout, CLI_PLAIN));
	for (i = 0; i < loader->nobjects; i++)
		print_object(loader->objects[i], width);
}

static void print_details(const struct reach *reach)
{
	size_t i;

	if (reach->interpreter)
		print_details(reach->interpreter);
	if (!strcmp(reach->kind, "dynamic") || !strcmp(reach->kind, "library"))
		print_objects(&reach->loader);
	for (i = 0; i < reach->notes.n; i++) {
		printf("  note: ");
		cli_print_text(stdout, reach->notes.text[i]);
		putchar('\n');
	}
}

static void print_verdict(const struct reach *reach)
{
	static const enum cli_style styles[] = {CLI_GOOD, CLI_FAIR, CLI_BAD,
						CLI_BAD};
	char *sentence = reach_sentence(reach);

	cli_print_text(stdout, reach->path && reach->verdict != REACH_UNKNOWN
				       ? reach->path
				       : reach->name);
	printf(": %s%s%s: ", cli_style(stdout, styles[reach->verdict]),
	       reach_words[reach->verdict], cli_style(stdout, CLI_PLAIN));
	cli_print_text(stdout, sentence);
	putchar('\n');
	free(sentence);
}

/* --- JSON ------------------------------------------------------------------*/

static void json_texts(struct json *json, const char *key,
		       const struct reach_texts *texts)
{
	size_t i;

	json_array(json, key);
	for (i = 0; i < texts->n; i++)
		json_string(json, NULL, texts->text[i]);
	json_close(json);
}

static void json_functions(struct json *json, const char *key,
			   const bool set[ELF_FUNCTIONS])
{
	unsigned int i;

	json_array(json, key);
	for (i = 0; i < ELF_FUNCTIONS; i++)
		if (set[i])
			json_string(json, NULL, elf_function_names[i]);
	json_close(json);
}

static void json_imports(struct json *json, const struct elf_file *elf)
{
	size_t i;

	json_array(json, "imports");
	for (i = 0; i < elf->nimports; i++) {
		const struct elf_import *import = &elf->imports[i];

		json_object(json, NULL);
		json_string(json, "function",
			    elf_function_names[import->function]);
		if (import->version)
			json_string(json, "version", import->version);
		else
			json_null(json, "version");
		json_close(json);
	}
	json_close(json);
}

static void json_object_file(struct json *json,
			     const struct loader_object *object)
{
	const struct elf_file *elf = &object->elf;

	json_object(json, NULL);
	json_string(json, "path", object->path);
	if (object->parent)
		json_string(json, "needed_by", object->parent->path);
	json_bool(json, "c_library", object->libc);
	if (object->damage)
		json_string(json, "damage", object->damage);
	json_imports(json, elf);
	json_functions(json, "defines", elf->defines);
	json_uint(json, "syscall_instructions", elf->syscalls);
	json_uint(json, "syscall_instructions_of_unknown_number",
		  elf->syscalls_any);
	json_functions(json, "makes_system_calls", elf->syscalls_to);
	json_bool(json, "calls_syscall", elf->calls_syscall);
	json_bool(json, "calls_dlopen", elf->calls_dlopen);
	json_bool(json, "calls_dlmopen", elf->calls_dlmopen);
	json_bool(json, "names_deepbind", elf->names_deepbind);
	json_uint(json, "deepbind_calls", elf->deepbind_calls);
	json_bool(json, "go", elf->go);
	json_close(json);
}

static void json_loader(struct json *json, const struct loader *loader)
{
	size_t i;

	json_array(json, "objects");
	for (i = 0; i < loader->nobjects; i++)
		json_object_file(json, loader->objects[i]);
	json_close(json);
	json_array(json, "missing");
	for (i = 0; i < loader->nmissing; i++) {
		json_object(json, NULL);
		json_string(json, "name", loader->missing[i].name);
		json_string(json, "needed_by",
			    loader->missing[i].parent->path);
		json_close(json);
	}
	json_close(json);
}

static void json_reach(struct json *json, const char *key,
		       const struct reach *reach)
{
	char *sentence = reach_sentence(reach);

	json_object(json, key);
	json_string(json, "name", reach->name);
	if (reach->path)
		json_string(json, "path", reach->path);
	json_string(json, "verdict", reach_words[reach->verdict]);
	json_string(json, "sentence", sentence);
	json_string(json, "kind", reach->kind);
	json_texts(json, "reasons", &reach->reasons);
	json_texts(json, "notes", &reach->notes);
	json_loader(json, &reach->loader);
	if (reach->interpreter)
		json_reach(json, "interpreter", reach->interpreter);
	json_close(json);
	free(sentence);
}

/* --- The command -------------------------------------------------------------*/

static void report(const struct arguments *arguments, struct json *json,
		   const struct reach *reach)
{
	if (arguments->json) {
		json_reach(json, NULL, reach);
		return;
	}
	if (reach->verdict == REACH_UNKNOWN) {
		cli_error("%s: %s", reach->name, reach->reasons.text[0]);
		return;
	}
	print_verdict(reach);
	if (!arguments->brief)
		print_details(reach);
}

int cli_check(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "PROGRAM...",
		.doc = "Says for each program, library or script whether preloading "
		       "libpmemshim.so will reach it, and which interposed functions it and "
		       "the libraries that it needs call. Nothing is run.\v"
		       "A name without a slash is looked for in PATH, as a shell does. "
		       "The exit status is that of the worst verdict: 0 yes, 1 partly, 2 no; "
		       "3 when a file could not be read or the command line is wrong.\n\n"
		       "Example:\n\n  pmemshim check gdbmtool /usr/lib/x86_64-linux-gnu/liblmdb.so.0",
	};
	struct arguments arguments = {0};
	enum reach_verdict worst = REACH_YES;
	struct json json;
	size_t i;

	cli_parse(&argp, argc, argv, 0, USAGE_STATUS, &arguments);
	json_begin(&json, stdout);
	if (arguments.json) {
		json_object(&json, NULL);
		json_array(&json, "files");
	}
	for (i = 0; i < arguments.n; i++) {
		struct reach *reach = reach_judge(arguments.names[i]);

		if (reach->verdict > worst)
			worst = reach->verdict;
		report(&arguments, &json, reach);
		reach_free(reach);
	}
	if (arguments.json) {
		json_close(&json);
		json_close(&json);
		json_end(&json);
	}
	return cli_close_stdout((int)worst, USAGE_STATUS);
}
