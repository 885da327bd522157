/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.c: the page: verdict, graphs and tables.
 *
 * Design: one file without a script, an image or an address, so it can be
 * mailed and read offline; a Content-Security-Policy says so to the browser.
 * Colours follow the reader's light or dark preference; wide tables scroll in
 * themselves and never the page.
 */
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const char style[] =
	":root{color-scheme:light dark;--ground:#fbfaf8;--card:#fff;--text:#1d1c1a;"
	"--soft:#66625c;--line:#dedad3;--a:#b4530c;--b:#0b6e75;--bare:#6b6f76;"
	"--ab:#6a4fb3;--mark:#f1eee8}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#161719;--card:#1e2023;"
	"--text:#ebe8e3;--soft:#a39f97;--line:#36393e;--a:#f0a35b;--b:#4fc6cc;"
	"--bare:#a4a9b1;--ab:#b3a0f2;--mark:#292c30}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--ground);color:var(--text);"
	"font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",sans-serif}\n"
	"main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}\n"
	".kicker{margin:0;color:var(--soft);font-size:.85rem}\n"
	"h1{font-size:1.35rem;line-height:1.35;margin:.3rem 0 .8rem;text-wrap:pretty;"
	"overflow-wrap:anywhere}\n"
	"h2{font-size:1.05rem;margin:0 0 .6rem}\n"
	"code{font-family:ui-monospace,\"SF Mono\",Menlo,\"DejaVu Sans Mono\",monospace;"
	"font-size:.85rem;overflow-wrap:anywhere}\n"
	"section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
	"padding:1rem;margin-top:1rem}\n"
	".warn{border-left:.3rem solid var(--a);padding-left:.8rem}\n"
	".note{color:var(--soft);font-size:.85rem;margin:.6rem 0 0}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;"
	"border-bottom:1px solid var(--line)}\n"
	"tr:last-child>*{border-bottom:0}\n"
	"th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal;"
	"min-width:8.5rem}\n"
	".wrap td:last-child{white-space:normal}\n"
	"th{font-weight:600}thead th{color:var(--soft)}tbody th{font-weight:400}\n"
	"dl{display:grid;grid-template-columns:max-content minmax(0,1fr);"
	"gap:.25rem 1rem;margin:0;font-size:.9rem}\n"
	"dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
	"svg{display:block;width:100%;overflow:hidden;font-size:12px}\n"
	"svg text{fill:var(--soft)}svg .name{fill:var(--text);font-weight:600}\n"
	".axis{stroke:var(--line)}.one{stroke:var(--soft);stroke-dasharray:3 3}\n"
	".a{fill:var(--a);stroke:var(--a)}.b{fill:var(--b);stroke:var(--b)}\n"
	".bare{fill:var(--bare);stroke:var(--bare)}.ab{fill:var(--ab);stroke:var(--ab)}\n"
	".bar{stroke:none}.dot{fill-opacity:.55}.middle{stroke-width:2}"
	".half{stroke:var(--text);stroke-dasharray:2 2}\n"
	"@media(max-width:34rem){dl{grid-template-columns:minmax(0,1fr);gap:0}"
	"dd{margin-bottom:.5rem}section{padding:.8rem}main{padding:1rem .6rem 2rem}"
	"h1{font-size:1.15rem}table{font-size:.78rem}th,td{padding:.25rem .3rem}"
	"th:first-child,td:first-child{min-width:5rem}}\n"
	"@media print{body{background:#fff}section{break-inside:avoid}}\n";

void report_text(FILE *page, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", page);
			break;
		case '<':
			fputs("&lt;", page);
			break;
		case '>':
			fputs("&gt;", page);
			break;
		case '"':
			fputs("&quot;", page);
			break;
		case '\'':
			fputs("&#39;", page);
			break;
		default:
			putc((unsigned char)*text < 0x20 || *text == 0x7f
				 ? ' '
				 : *text,
			     page);
		}
	}
}

static void element(FILE *page, const char *tag, const char *text)
{
	fprintf(page, "<%s>", tag);
	report_text(page, text ? text : "");
	fprintf(page, "</%s>", tag);
}

/* wrap: the last column is a text. */
static void put_rows(FILE *page, const struct ab_table *table, bool wrap)
{
	char *const *row;

	fprintf(page, "<div class=\"wide%s\"><table><thead><tr><th></th>",
		wrap ? " wrap" : "");
	for (size_t i = 0; i < table->columns; i++)
		element(page, "th", table->heads[i]);
	fputs("</tr></thead><tbody>\n", page);
	for (size_t i = 0; i < table->rows; i++) {
		row = &table->cells[i * (table->columns + 1)];
		fputs("<tr>", page);
		for (size_t k = 0; k <= table->columns; k++)
			element(page, k == 0 ? "th" : "td", row[k]);
		fputs("</tr>\n", page);
	}
	fputs("</tbody></table></div>\n", page);
}

static void put_list(FILE *page, const struct ab_table *table)
{
	fputs("<dl>\n", page);
	for (size_t i = 0; i < table->rows; i++) {
		element(page, "dt", table->cells[2 * i]);
		element(page, "dd", table->cells[2 * i + 1]);
		putc('\n', page);
	}
	fputs("</dl>\n", page);
}

static void put_table(FILE *page, const struct ab *ab, enum ab_table_kind kind,
		      void (*graph)(FILE *page, const struct ab *ab))
{
	struct ab_table table;

	ab_table_make(ab, kind, &table);
	if (table.rows > 0) {
		fputs("<section>", page);
		element(page, "h2", table.title);
		if (graph)
			graph(page, ab);
		if (kind != AB_TABLE_ENVIRONMENT)
			put_rows(page, &table, kind == AB_TABLE_RATIOS);
		else
			put_list(page, &table);
		if (table.note) {
			fputs("<p class=\"note\">", page);
			report_text(page, table.note);
			fputs("</p>", page);
		}
		fputs("</section>\n", page);
	}
	ab_table_free(&table);
}

static void put_head(FILE *page, const struct ab *ab)
{
	fputs(
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" "
		"content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<title>pmemshim ab: ",
	    page);
	report_text(page, ab->environment.command);
	fprintf(page, "</title>\n<style>\n%s</style></head>\n<body><main>\n",
		style);
	fputs("<p class=\"kicker\">pmemshim ab, ", page);
	report_text(page, ab->environment.date);
	fputs("</p>\n<h1 id=\"verdict\">", page);
	if (ab->voided)
		fputs("No comparison: ", page);
	report_text(page, ab->voided ? ab->voided : ab->verdict);
	fputs("</h1>\n<p><code>", page);
	report_text(page, ab->environment.command);
	fputs("</code></p>\n", page);
	if (ab->environment.emulated)
		fputs(
		    "<p class=\"warn\">Taken on an emulated CPU (QEMU TCG): counts are exact, times say nothing of a real one.</p>\n",
		    page);
	if (ab->caution) {
		fputs("<p class=\"warn\">Caution: ", page);
		report_text(page, ab->caution);
		fputs(".</p>\n", page);
	}
}

static void write_page(FILE *page, const struct ab *ab)
{
	put_head(page, ab);
	if (!ab->voided) {
		put_table(page, ab, AB_TABLE_RATIOS, report_ratios);
		put_table(page, ab, AB_TABLE_SYNCS, report_latencies);
		put_table(page, ab, AB_TABLE_RUNS, report_runs);
	}
	put_table(page, ab, AB_TABLE_ENVIRONMENT, NULL);
	fputs("</main></body></html>\n", page);
}

FILE *report_open(const char *path)
{
	/* What is there stays until there is something to put in its place. */
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	FILE *page = fd < 0 ? NULL : fdopen(fd, "w");

	if (!page)
		cli_error("%s: %s", path, strerrordesc_np(errno));
	return page;
}

int report_close(const struct ab *ab, FILE *page)
{
	bool bad;

	/* EINVAL: a pipe, which has no end to cut. */
	bad = ftruncate(fileno(page), 0) && errno != EINVAL;
	if (!bad)
		write_page(page, ab);
	bad = ferror(page) || bad;
	bad = fclose(page) || bad;
	if (bad)
		cli_error("%s: %s", ab->options.report, strerrordesc_np(errno));
	return bad ? -1 : 0;
}
