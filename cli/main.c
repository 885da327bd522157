/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c: the command pmemshim: finds the subcommand and hands over to it.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

struct command {
	const char *name, *full_name, *help;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define COMMAND(name, help) {#name, "pmemshim " #name, help, cli_##name},
#include "cli/commands.def"
#undef COMMAND
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

struct chosen {
	const struct command *command;
	int first;	/* index of its name in argv */
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct chosen *chosen = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		chosen->command = find_command(arg);
		if (!chosen->command)
			cli_usage(state, "%s: no such command", arg);
		chosen->first = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		cli_usage(state, "no command was given");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The list of commands, between the options and the last lines of --help. */
static char *help_filter(int key, const char *text, void *input)
{
	FILE *list;
	char *help = NULL;
	size_t i, len;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	list = open_memstream(&help, &len);
	if (!list)
		return (char *)text;
	fputs("Commands:\n", list);
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(list, "  %-8s %s\n", commands[i].name,
			commands[i].help);
	fprintf(list, "\n%s", text);
	fclose(list);
	return help;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = "Persistent memory for programs that were never ported to it."
		       "\v"
		       "\"pmemshim COMMAND --help\" and \"man pmemshim-COMMAND\" say more.",
		.help_filter = help_filter,
	};
	struct chosen chosen = {0};

	argv[0] = (char *)"pmemshim";
	cli_parse(&argp, argc, argv, ARGP_IN_ORDER, CLI_USAGE, &chosen);
	argv += chosen.first;
	argv[0] = (char *)chosen.command->full_name;
	return chosen.command->run(argc - chosen.first, argv);
}
