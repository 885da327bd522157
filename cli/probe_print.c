/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_print.c: the findings, for people and as JSON.
 *
 * Design: text is a verdict, what to do, and one "key  value" line for each
 * finding that applies. JSON has every finding every time, null where it
 * does not apply, so that programs need not guess.
 */
#include "cli/probe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "shim/compiler.h"

static const char *const outcome_ids[] = {
	[PROBE_USER] = "user",	   [PROBE_ASSUMED] = "assumed",
	[PROBE_KERNEL] = "kernel", [PROBE_FAILS] = "mmap-fails",
	[PROBE_UNKNOWN] = "unknown",
};

static const char *const target_ids[] = {
	[PROBE_FILE] = "file",	     [PROBE_NEW] = "new file",
	[PROBE_DIRECTORY] = "directory", [PROBE_DEVICE] = "device-DAX",
	[PROBE_OTHER] = "other",
};

/*
 * Lines
 */

static void value(const char *key, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void value(const char *key, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	printf("  %-15s", key);
	cli_print_text(stdout, text);
	putchar('\n');
	free(text);
}

static char *by_user(const struct persist_policy *policy)
{
	return cli_format("persisted from user space%s (flush %s, copies %s)",
			  policy->alternates ? " and by the kernel in turns"
					     : "",
			  persist_flush_name(policy),
			  persist_copy_name(policy));
}

static char *verdict(const struct probe *p)
{
	const char *why = p->nreasons ? p->reasons[0].what : "";

	switch (p->outcome) {
	case PROBE_USER:
		return by_user(p->policy);
	case PROBE_ASSUMED:
		return cli_format("persisted from user space, but not durable: %s",
				  why);
	case PROBE_FAILS:
		return cli_format("mmap fails (%s): %s%s", probe_error(p->failure),
				  p->sync && p->nreasons > 0 &&
				  strcmp(p->reasons[0].id, "not-mappable") != 0
				  ? "map_sync=require, but " : "", why);
	case PROBE_UNKNOWN:
		return cli_format("cannot tell: %s", why);
	case PROBE_KERNEL:
		break;
	}
	return cli_format("left to the kernel: %s", why);
}

static void print_verdict(const struct probe *p)
{
	static const enum cli_style styles[] = {
		[PROBE_USER] = CLI_GOOD,   [PROBE_ASSUMED] = CLI_BAD,
		[PROBE_KERNEL] = CLI_FAIR, [PROBE_FAILS] = CLI_BAD,
		[PROBE_UNKNOWN] = CLI_FAIR,
	};
	char *text = verdict(p);
	size_t i;

	cli_print_text(stdout, p->path);
	fputs(": ", stdout);
	fputs(cli_style(stdout, styles[p->outcome]), stdout);
	cli_print_text(stdout, text);
	printf("%s\n", cli_style(stdout, CLI_PLAIN));
	free(text);
	for (i = 0; i < p->nreasons; i++) {
		if (i > 0)
			value("also", "%s", p->reasons[i].what);
		if (p->reasons[i].todo)
			value("to do", "%s", p->reasons[i].todo);
	}
}

/*
 * Facts
 */

static void append(char **list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append(char **list, const char *format, ...)
{
	char *more, *longer;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&more, format, args);
	va_end(args);
	if (len < 0)
		return;
	longer = cli_format("%s%s", *list, more);
	free(more);
	free(*list);
	*list = longer;
}

static void append_key(void *arg, const char *name, const char *text)
{
	append(arg, ", %s=%s", name, text);
}

static void print_rule(const struct probe *p)
{
	char *list;

	if (!p->rule) {
		value("rule", "none");
		return;
	}
	list = cli_format("%s%s", p->rule->path_len ? p->rule->path : "/",
			  p->rule->automatic ? " (from auto)" : "");
	probe_rule_each(p->rule, false, append_key, &list);
	value("rule", "%s", list);
	free(list);
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void print_file_system(const struct probe *p)
{
	const struct probe_mount *m = &p->mount;

	if (!m->type || p->target == PROBE_DEVICE)
		return;
	value("file system", "%s on %s (%s), blocks of %ld bytes", m->type,
	      m->point, m->source, p->inode.block_size);
	value("mount options", "%s", m->options);
	if (p->layer)
		value("layer", "%s (%s)", p->layer,
		      p->layer_dax ? "DAX" : "not DAX");
}

static void print_inode(const struct probe *p)
{
	const struct probe_inode *i = &p->inode;
	const char *of = p->fd >= 0 ? "" : ", of a new file";

	if (probe_subject(p) < 0 || p->target == PROBE_DEVICE)
		return;
	value("DAX", "%s%s%s",
	      i->dax_told ? yes_no(i->dax) : "this kernel does not say",
	      !i->flag_told ? "" : i->flag ? ", DAX flag set"
					   : ", DAX flag not set", of);
	if (p->fd >= 0 && !p->writable)
		value("access", "read-only for this user");
}

static void print_device(const struct probe *p)
{
	const struct probe_device *d = &p->device;

	if (!d->sysfs)
		return;
	value("device", "%s, %s%s", d->name,
	      p->target == PROBE_DEVICE ? "device-DAX"
	      : d->dax			? "can do DAX"
					: "cannot do DAX",
	      d->mapped ? ", device-mapper" : "");
	if (d->namespace)
		value("namespace", "%s, %s", d->namespace, d->mode);
	if (d->region)
		value("region", "%s%s%s", d->region, d->provider ? " of " : "",
		      d->provider ? d->provider : "");
}

static const char *domain_text(enum dax_domain domain)
{
	switch (domain) {
	case DAX_DOMAIN_CACHE:
		return "CPU caches (eADR): nothing has to be flushed";
	case DAX_DOMAIN_MEMORY:
		return "memory controller (ADR): caches are flushed";
	case DAX_DOMAIN_UNTOLD:
		break;
	}
	return "the platform does not say: caches are flushed";
}

static void print_domain(const struct probe *p)
{
	if (p->device.region || p->domain != DAX_DOMAIN_UNTOLD)
		value("domain", "%s", domain_text(p->domain));
}

static void print_sync(const struct probe *p)
{
	if (!p->tried)
		value("MAP_SYNC", "not tried%s%s", p->no_temp ? ": " : "",
		      p->no_temp ? p->no_temp : "");
	else if (p->sync == 0)
		value("MAP_SYNC", "granted%s",
		      p->fd >= 0 ? "" : ", to a temporary file");
	else
		value("MAP_SYNC", "refused%s (%s)",
		      p->fd >= 0 ? "" : ", to a temporary file",
		      probe_error(-p->sync));
}

static const char *const pages_words[] = {
	[CONFIG_PAGES_AUTO] = "kernel",
	[CONFIG_PAGES_SMALL] = "small",
	[CONFIG_PAGES_HUGE] = "huge",
};

static void print_pages(const struct probe *p)
{
	const struct probe_pages *g = &p->pages;

	if (p->info.kind == DAX_DEVICE)
		value("huge pages", "%s",
		      g->possible ? "yes, aligned to 2 MiB or more"
				  : "no, aligned to less than 2 MiB");
	else if (p->info.kind != DAX_FILE)
		return;
	else if (!g->known)
		value("huge pages", "unknown: %s", g->why);
	else if (g->possible == 0)
		value("huge pages", "none: %s", g->why);
	else
		value("huge pages", "%" PRIu64 " of %" PRIu64 " blocks of 2 MiB%s, at addresses congruent with their offsets",
		      g->possible, g->blocks,
		      g->temporary ? " of a new file" : "");
	if (g->wanted != CONFIG_PAGES_AUTO)
		value("pages", "%s: a mapping of the whole file is put %s",
		      pages_words[g->wanted],
		      g->wanted == CONFIG_PAGES_SMALL
		      ? "where entries are of 4 KiB"
		      : "where entries of 2 MiB are possible");
}

static const char *const flush_names[] = {
	[ARCH_CLFLUSH] = "clflush",
	[ARCH_CLFLUSHOPT] = "clflushopt",
	[ARCH_CLWB] = "clwb",
};

static void print_cpu(void)
{
	char *list = cli_strdup("");
	const char *hypervisor;
	bool emulated;
	size_t i;

	for (i = 0; i < ARRAY_LEN(flush_names); i++)
		if (probe_arch.flush[i])
			append(&list, " %s", flush_names[i]);
	for (i = 0; i < probe_arch.nstreams; i++)
		if (probe_arch.streams[i].usable)
			append(&list, " %s", probe_arch.streams[i].name);
	hypervisor = probe_hypervisor(&emulated);
	value("CPU", "%s%s%s", *list ? list + 1 : "no known flush",
	      emulated ? "; emulated by " : hypervisor ? "; under " : "",
	      hypervisor ? hypervisor : "");
	free(list);
}

static void print_policy(const struct probe *p)
{
	const struct persist_policy *policy = p->policy;
	const struct arch_stream *stream = probe_arch.stream;
	char from[CLI_TEXT];
	const char *suppose = p->outcome == PROBE_USER ||
			      p->outcome == PROBE_ASSUMED
			    ? "" : " (if it were persisted from user space)";

	if (!policy)
		return;
	value("flush", "%s%s", persist_flush_name(policy), suppose);
	if (!policy->copy)
		value("copies", "left to libc");
	else
		value("copies", "%s%s%s, from %s%s", persist_copy_name(policy),
		      stream && policy->copy == stream->copy ? " by " : "",
		      stream && policy->copy == stream->copy ? stream->name
							     : "",
		      cli_text_bytes(from, policy->copy_min), suppose);
}

static void print_msync(const struct probe_cost *c, const char *label)
{
	char time[CLI_TEXT], fault[CLI_TEXT];

	if (c->no_msync)
		value("msync 4 KiB", "not measured: %s", c->no_msync);
	else if (c->refault >= 1)
		value("msync 4 KiB", "%s by the kernel, and %s when the page is stored to again (median of %u%s)",
		      cli_text_time(time, c->msync),
		      cli_text_time(fault, c->refault), c->msyncs, label);
	else if (c->msyncs)
		value("msync 4 KiB", "%s by the kernel (median of %u%s)",
		      cli_text_time(time, c->msync), c->msyncs, label);
}

static void print_cost(const struct probe *p)
{
	const struct probe_cost *c = &p->cost;
	char time[CLI_TEXT];
	const char *label;
	bool emulated;

	probe_hypervisor(&emulated);
	label = emulated ? "; EMULATED CPU: says nothing" : "";
	if (c->no_persist)
		value("persist 4 KiB", "not measured: %s", c->no_persist);
	else if (c->persists)
		value("persist 4 KiB", "%s (median of %u%s)",
		      cli_text_time(time, c->persist), c->persists, label);
	print_msync(c, label);
}

void probe_print(const struct probe *p)
{
	print_verdict(p);
	value("path", "%s (%s)", p->asked, target_ids[p->target]);
	print_rule(p);
	if (p->target == PROBE_OTHER)
		return;
	print_file_system(p);
	print_inode(p);
	print_device(p);
	print_domain(p);
	print_sync(p);
	print_pages(p);
	print_cpu();
	print_policy(p);
	print_cost(p);
}

/*
 * JSON
 */

static void string_or_null(struct json *json, const char *key,
			   const char *text)
{
	if (text)
		json_string(json, key, text);
	else
		json_null(json, key);
}

static void write_key(void *arg, const char *name, const char *text)
{
	json_string(arg, name, text);
}

static void json_rule(struct json *json, const struct probe *p)
{
	if (!p->rule) {
		json_null(json, "rule");
		return;
	}
	json_object(json, "rule");
	json_string(json, "path", p->rule->path_len ? p->rule->path : "/");
	json_bool(json, "auto", p->rule->automatic);
	probe_rule_each(p->rule, true, write_key, json);
	json_close(json);
}

static void json_reasons(struct json *json, const struct probe *p)
{
	size_t i;

	json_array(json, "reasons");
	for (i = 0; i < p->nreasons; i++) {
		json_object(json, NULL);
		json_string(json, "id", p->reasons[i].id);
		json_string(json, "what", p->reasons[i].what);
		string_or_null(json, "to_do", p->reasons[i].todo);
		json_close(json);
	}
	json_close(json);
}

static void json_file_system(struct json *json, const struct probe *p)
{
	const struct probe_mount *m = &p->mount;

	if (!m->type || p->target == PROBE_DEVICE) {
		json_null(json, "file_system");
		return;
	}
	json_object(json, "file_system");
	json_string(json, "type", m->type);
	json_string(json, "mount_point", m->point);
	json_string(json, "source", m->source);
	json_string(json, "options", m->options);
	string_or_null(json, "dax", probe_dax_option(m));
	json_int(json, "block_size", p->inode.block_size);
	string_or_null(json, "layer", p->layer);
	json_close(json);
}

static void bool_or_null(struct json *json, const char *key, bool known,
			 bool yes)
{
	if (known)
		json_bool(json, key, yes);
	else
		json_null(json, key);
}

static void json_inode(struct json *json, const struct probe *p)
{
	const struct probe_inode *i = &p->inode;

	if (probe_subject(p) < 0 || p->target == PROBE_DEVICE) {
		json_null(json, "inode");
		return;
	}
	json_object(json, "inode");
	bool_or_null(json, "dax", i->dax_told, i->dax);
	bool_or_null(json, "dax_flag", i->flag_told, i->flag);
	json_bool(json, "temporary", p->fd < 0);
	json_bool(json, "writable", p->writable);
	json_close(json);
}

static const char *const domain_ids[] = {
	[DAX_DOMAIN_UNTOLD] = "unknown",
	[DAX_DOMAIN_MEMORY] = "memory_controller",
	[DAX_DOMAIN_CACHE] = "cpu_cache",
};

static void json_device(struct json *json, const struct probe *p)
{
	const struct probe_device *d = &p->device;

	if (!d->sysfs) {
		json_null(json, "device");
		return;
	}
	json_object(json, "device");
	json_string(json, "name", d->name);
	json_bool(json, "dax", d->dax);
	json_bool(json, "mapped", d->mapped);
	string_or_null(json, "namespace", d->namespace);
	string_or_null(json, "mode", d->mode);
	string_or_null(json, "region", d->region);
	string_or_null(json, "provider", d->provider);
	string_or_null(json, "persistence_domain", d->domain);
	json_close(json);
}

static void json_sync(struct json *json, const struct probe *p)
{
	json_object(json, "map_sync");
	json_bool(json, "tried", p->tried);
	bool_or_null(json, "granted", p->tried, p->sync == 0);
	string_or_null(json, "error", p->tried && p->sync
				      ? strerrorname_np(-p->sync) : NULL);
	json_close(json);
}

static void json_pages(struct json *json, const struct probe *p)
{
	const struct probe_pages *g = &p->pages;

	json_object(json, "huge_pages");
	json_bool(json, "known", g->known);
	json_uint(json, "possible", g->possible);
	json_uint(json, "blocks", g->blocks);
	json_bool(json, "temporary", g->temporary);
	string_or_null(json, "why", g->why);
	json_close(json);
	json_string(json, "entries", pages_words[g->wanted]);
}

static void json_policy(struct json *json, const struct probe *p)
{
	if (!p->policy) {
		json_null(json, "policy");
		return;
	}
	json_object(json, "policy");
	json_string(json, "flush", persist_flush_name(p->policy));
	json_string(json, "copy", persist_copy_name(p->policy));
	if (p->policy->copy)
		json_uint(json, "copy_min", p->policy->copy_min);
	else
		json_null(json, "copy_min");
	json_bool(json, "in_force", p->outcome == PROBE_USER ||
				    p->outcome == PROBE_ASSUMED);
	json_close(json);
}

static void json_series(struct json *json, const char *key, const char *why,
			double median, unsigned int tries)
{
	json_object(json, key);
	if (why || tries == 0)
		json_null(json, "median_ns");
	else
		json_real(json, "median_ns", median);
	json_uint(json, "tries", why ? 0 : tries);
	string_or_null(json, "not_measured", why);
	json_close(json);
}

static void json_cost(struct json *json, const struct probe *p)
{
	const struct probe_cost *c = &p->cost;
	bool emulated;

	probe_hypervisor(&emulated);
	json_object(json, "cost");
	json_bool(json, "emulated", emulated);
	json_series(json, "persist_4k", c->no_persist, c->persist,
		    c->persists);
	json_series(json, "msync_4k", c->no_msync, c->msync, c->msyncs);
	json_series(json, "fault_after_msync",
		    c->no_persist ? c->no_persist : c->no_msync, c->refault,
		    c->persists ? c->msyncs : 0);
	json_close(json);
}

void probe_print_json(struct json *json, const struct probe *p)
{
	char *text = verdict(p);

	json_object(json, NULL);
	json_string(json, "asked", p->asked);
	json_string(json, "path", p->path);
	json_string(json, "target", target_ids[p->target]);
	json_string(json, "outcome", outcome_ids[p->outcome]);
	json_string(json, "verdict", text);
	json_reasons(json, p);
	json_rule(json, p);
	json_file_system(json, p);
	json_inode(json, p);
	json_device(json, p);
	json_string(json, "domain", domain_ids[p->domain]);
	json_sync(json, p);
	json_pages(json, p);
	json_policy(json, p);
	json_cost(json, p);
	json_close(json);
	free(text);
}

void probe_print_cpu_json(struct json *json)
{
	bool emulated;
	size_t i;

	json_object(json, "cpu");
	json_array(json, "flush");
	for (i = 0; i < ARRAY_LEN(flush_names); i++)
		if (probe_arch.flush[i])
			json_string(json, NULL, flush_names[i]);
	json_close(json);
	json_array(json, "stream");
	for (i = 0; i < probe_arch.nstreams; i++)
		if (probe_arch.streams[i].usable)
			json_string(json, NULL, probe_arch.streams[i].name);
	json_close(json);
	string_or_null(json, "hypervisor", probe_hypervisor(&emulated));
	json_bool(json, "emulated", emulated);
	json_close(json);
}
