/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rules.c: PMEMSHIM_PATHS and PMEMSHIM_DEFAULTS turned into rules.
 *
 * Design: the text is read where it stands, whatever its length, and only
 * paths are copied, into a fixed arena. A list of rules is used as a whole or
 * not at all: half of a list could leave a file to a rule that was meant for
 * its parent, for example without the mode=off that had a typing error.
 *
 *	PMEMSHIM_PATHS = RULE[;RULE...]		empty rules are skipped
 *	RULE = PATH[,KEY=VALUE...]		PATH is absolute, or auto
 *	\; \, \\ stand for the second character; no other escape exists;
 *	white space is never skipped
 */
#include "config/rules.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/mounts.h"
#include "config/option.h"
#include "config/path.h"

#define PATHS		(&option_variables[OPTION_VARIABLE_paths])
#define DEFAULTS	(&option_variables[OPTION_VARIABLE_defaults])

enum { ARENA_SIZE = 65536 };

/* Where a text comes from, for messages; number 0 is not a rule. */
struct place {
	const struct option *variable;
	struct span text;
	size_t number;
};

/* A rule list while it is read. */
struct draft {
	struct config *out;
	struct config_rule base;	/* as PMEMSHIM_DEFAULTS says */
	struct config_rule automatic;	/* what each DAX mount starts from */
	struct place automatic_place;
	struct place places[CONFIG_RULES_MAX];
	int lookups[CONFIG_RULES_MAX];	/* errors of path_resolve */
	bool has_automatic;
	bool automatic_left_out;	/* there was no room for some mount */
};

static char arena[ARENA_SIZE];
static size_t arena_used;

/* A copy of text that stays, or NULL. */
static const char *arena_copy(const char *text, size_t len)
{
	char *const copy = arena + arena_used;

	if (len >= sizeof(arena) - arena_used)
		return NULL;
	memcpy(copy, text, len + 1);
	arena_used += len + 1;
	return copy;
}

/* Messages. */

static void place_write(enum log_level level, const struct place *place,
			const char *problem, const char *consequence)
{
	char rule[32] = "";

	if (place->number > 0)
		snprintf(rule, sizeof(rule), "rule %zu ", place->number);
	log_write(level, "%s: %s'%.*s%s': %s; %s", place->variable->name, rule,
		  RULE_ARGS(place->text), problem, consequence);
}

/* Say why nothing of the list is used; false, for the caller to return. */
static COLD PRINTF_LIKE(2, 3) bool broken(const struct place *place,
					  const char *fmt, ...)
{
	char problem[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(problem, sizeof(problem), fmt, args);
	va_end(args);
	place_write(LOG_ERROR, place, problem,
		    "no rule is used: every msync goes to the kernel");
	return false;
}

/* Text. */

/*
 * Take the text up to the first stop that is not escaped off rest, and the
 * stop with it; whether there was one.
 */
static bool cut(struct span *rest, char stop, struct span *head)
{
	size_t i = 0;
	bool found;

	while (i < rest->len && rest->at[i] != stop)
		i += rest->at[i] == '\\' ? 2 : 1;
	found = i < rest->len;
	*head = (struct span){ rest->at, found ? i : rest->len };
	rest->at += head->len + found;
	rest->len -= head->len + found;
	return found;
}

static bool escapes_are_valid(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (s.at[i] != '\\')
			continue;
		i++;
		if (i == s.len || s.at[i] == '\0' || !strchr(";,\\", s.at[i]))
			return false;
	}
	return true;
}

/* Without its escapes, into out; false when that is too small. */
static bool unescape(struct span s, char *out, size_t size)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < s.len && len < size; i++) {
		if (s.at[i] == '\\')
			i++;
		out[len++] = s.at[i];
	}
	if (len == size)
		return false;
	out[len] = '\0';
	return true;
}

/* Keys. */

static void set_key(struct config_rule *rule, enum option_key key,
		    uint64_t value)
{
	switch (key) {
#define KEY(field, ...) \
	case OPTION_KEY_##field: \
		rule->field = (__typeof__(rule->field))value; \
		break;
#include "config/options.def"
	case OPTION_KEYS_COUNT:
		break;
	}
}

static enum option_key find_key(struct span name)
{
	unsigned int i;

	for (i = 0; i < OPTION_KEYS_COUNT; i++) {
		if (strlen(option_keys[i].name) == name.len &&
		    !memcmp(option_keys[i].name, name.at, name.len))
			break;
	}
	return (enum option_key)i;
}

/* One KEY=VALUE; *seen has a bit for each key that came before. */
static bool read_key(const struct place *place, struct span field,
		     unsigned int *seen, struct config_rule *rule)
{
	struct span name;
	struct span value = field;
	enum option_key key;
	const char *problem;
	uint64_t number;
	char accepted[128];

	if (!cut(&value, '=', &name))
		return broken(place, "'%.*s%s' is not KEY=VALUE, accepted keys: %s",
			      VALUE_ARGS(field), option_key_names);
	key = find_key(name);
	if (key == OPTION_KEYS_COUNT)
		return broken(place, "unknown key '%.*s%s', accepted: %s",
			      VALUE_ARGS(name), option_key_names);
	if (*seen & 1U << key)
		return broken(place, "%s is given twice, accepted: each key once",
			      option_keys[key].name);
	*seen |= 1U << key;
	problem = option_parse(&option_keys[key], value, &number);
	if (problem) {
		option_describe(&option_keys[key], accepted, sizeof(accepted));
		return broken(place, "%s='%.*s%s' %s, accepted: %s",
			      option_keys[key].name, VALUE_ARGS(value), problem,
			      accepted);
	}
	set_key(rule, key, number);
	return true;
}

static bool read_keys(const struct place *place, struct span keys,
		      struct config_rule *rule)
{
	struct span field;
	unsigned int seen = 0;
	bool more;

	do {
		more = cut(&keys, ',', &field);
		if (!read_key(place, field, &seen, rule))
			return false;
	} while (more);
	return true;
}

static bool read_defaults(const char *text, struct config_rule *rule)
{
	struct place place = { .variable = DEFAULTS };
	uint64_t value = 0;
	unsigned int i;

	memset(rule, 0, sizeof(*rule));
	for (i = 0; i < OPTION_KEYS_COUNT; i++) {
		option_parse(&option_keys[i], span_of(option_keys[i].deflt),
			     &value);
		set_key(rule, (enum option_key)i, value);
	}
	place.text = span_of(text ? text : DEFAULTS->deflt);
	return place.text.len == 0 || read_keys(&place, place.text, rule);
}

/* Rules. */

static const struct config_rule *find_path(const struct config *config,
					   const char *path)
{
	size_t i;

	for (i = 0; i < config->nrules; i++) {
		if (!strcmp(config->rules[i].path, path))
			return &config->rules[i];
	}
	return NULL;
}

static struct config_rule *add_rule(struct config *config,
				    const struct config_rule *like,
				    const char *path)
{
	const size_t len = strlen(path);
	const char *const copy = arena_copy(path, len);
	struct config_rule *rule;

	if (!copy || config->nrules == CONFIG_RULES_MAX)
		return NULL;
	rule = &config->rules[config->nrules++];
	*rule = *like;
	rule->path = copy;
	rule->path_len = len;
	return rule;
}

static bool take_automatic(struct draft *draft, const struct place *place,
			   const struct config_rule *rule)
{
	if (draft->has_automatic)
		return broken(place, "auto is rule %zu already, accepted: auto once",
			      draft->automatic_place.number);
	draft->has_automatic = true;
	draft->automatic = *rule;
	draft->automatic.automatic = true;
	draft->automatic_place = *place;
	return true;
}

static bool take_path(struct draft *draft, const struct place *place,
		      struct span path, const struct config_rule *rule)
{
	static char given[PATH_MAX];
	static char canonical[PATH_MAX];
	struct config *const out = draft->out;
	const size_t i = out->nrules;
	const struct config_rule *same;
	const struct place *first;
	int err;

	if (i == CONFIG_RULES_MAX)
		return broken(place, "one rule too many, accepted: %d",
			      CONFIG_RULES_MAX);
	if (!unescape(path, given, sizeof(given)))
		return broken(place, "the path is too long, accepted: %d bytes",
			      PATH_MAX - 1);
	err = path_resolve(given, canonical);
	same = find_path(out, canonical);
	if (same) {
		first = &draft->places[same - out->rules];
		return broken(place, "same path as rule %zu '%.*s%s', accepted: each path once",
			      first->number, RULE_ARGS(first->text));
	}
	if (!add_rule(out, rule, canonical))
		return broken(place, "no room for the path, accepted: %d bytes for all",
			      ARENA_SIZE);
	draft->places[i] = *place;
	draft->lookups[i] = err;
	return true;
}

static bool read_rule(struct draft *draft, const struct place *place)
{
	struct config_rule rule = draft->base;
	struct span keys = place->text;
	struct span path;
	const bool has_keys = cut(&keys, ',', &path);
	const bool is_auto = path.len == 4 && !memcmp(path.at, "auto", 4);

	if (!escapes_are_valid(place->text))
		return broken(place, "a backslash stands before ; , or \\ only, accepted: %s",
			      PATHS->form);
	if (!is_auto && (path.len == 0 || path.at[0] != '/'))
		return broken(place, "'%.*s%s' is neither an absolute path nor auto, accepted: %s",
			      VALUE_ARGS(path), PATHS->form);
	if (has_keys && !read_keys(place, keys, &rule))
		return false;
	if (is_auto)
		return take_automatic(draft, place, &rule);
	return take_path(draft, place, path, &rule);
}

static bool read_rules(struct draft *draft, const char *text)
{
	struct place place = { .variable = PATHS };
	struct span rest = span_of(text);
	bool more;

	do {
		more = cut(&rest, ';', &place.text);
		if (place.text.len == 0)
			continue;
		place.number++;
		if (!read_rule(draft, &place))
			return false;
	} while (more);
	return true;
}

/* One line for each rule whose path is not (wholly) there. */
static void warn_missing_paths(const struct draft *draft)
{
	const char *reason;
	char problem[128];
	size_t i;

	for (i = 0; i < draft->out->nrules; i++) {
		if (draft->lookups[i] == 0)
			continue;
		/* strerror would look for a translation. */
		reason = strerrordesc_np(-draft->lookups[i]);
		snprintf(problem, sizeof(problem),
			 "the path cannot be resolved (%s), expected: an existing file or directory",
			 reason ? reason : "unknown error");
		place_write(LOG_WARN, &draft->places[i], problem,
			    "the rule is kept as it is spelled");
	}
}

/* The word auto. */

static bool add_mount(void *arg, const char *path)
{
	struct draft *const draft = arg;

	/* A rule that was written for this path wins; so does the first. */
	if (find_path(draft->out, path))
		return true;
	if (!add_rule(draft->out, &draft->automatic, path))
		draft->automatic_left_out = true;
	return !draft->automatic_left_out;
}

static void expand_automatic(struct draft *draft, bool written,
			     const char *mountinfo, const char *sysfs)
{
	/* Nobody asked for the default to be read: it fails in silence. */
	const enum log_level level = written ? LOG_WARN : LOG_INFO;
	const size_t nrules = draft->out->nrules;
	const char *reason;
	int err;

	err = mounts_walk_dax(mountinfo, sysfs, add_mount, draft);
	if (err < 0) {
		reason = strerrordesc_np(-err);
		draft->out->nrules = nrules;
		log_write(level, "PMEMSHIM_PATHS: auto: cannot read %s (%s); auto stands for no mount: msync of files there goes to the kernel",
			  mountinfo, reason ? reason : "unknown error");
	}
	if (err == 0 && draft->automatic_left_out)
		log_write(level, "PMEMSHIM_PATHS: auto: more than %d rules in all; the other DAX mounts are not used: msync of files there goes to the kernel",
			  CONFIG_RULES_MAX);
}

/* One line for all of them: auto can stand for many. */
static void note_assume_pmem(struct config *out)
{
	const struct config_rule *rule;
	const struct config_rule *first = NULL;
	size_t others = 0;
	char more[32] = "";
	size_t i;

	for (i = 0; i < out->nrules; i++) {
		rule = &out->rules[i];
		out->any_assume_pmem |= rule->assume_pmem;
		/* With the other modes msync is the kernel's, as ever. */
		if (!rule->assume_pmem || rule->mode == CONFIG_MODE_KERNEL ||
		    rule->mode == CONFIG_MODE_OFF)
			continue;
		if (first)
			others++;
		else
			first = rule;
	}
	if (!first)
		return;
	if (others > 0)
		snprintf(more, sizeof(more), " and %zu more", others);
	log_write(LOG_WARN, "assume_pmem=yes: NOTHING IS DURABLE under '%.*s%s'%s: msync does not reach the kernel; only for tests and benchmarks",
		  RULE_ARGS(span_of(first->path_len > 0 ? first->path : "/")),
		  more);
}

void rules_read(const struct config_env *env, const char *mountinfo,
		const char *sysfs, struct config *out)
{
	const bool written = env->paths != NULL;
	struct draft draft = { .out = out };

	arena_used = 0;
	if (!read_defaults(env->defaults, &draft.base) ||
	    !read_rules(&draft, written ? env->paths : PATHS->deflt)) {
		out->nrules = 0;
		return;
	}
	warn_missing_paths(&draft);
	if (draft.has_automatic)
		expand_automatic(&draft, written, mountinfo, sysfs);
	note_assume_pmem(out);
}
