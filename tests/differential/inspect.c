/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inspect.c: /proc/self/maps and /proc/self/mem, read without the functions
 * that the shim replaces.
 *
 * Memory is read through /proc/self/mem, which reads PROT_NONE pages too and
 * fails where nothing is mapped or a file has ended, instead of signalling.
 */
#include "tests/differential/inspect.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/differential/probe.h"

#define LINES_MAX	1024

static uint64_t mix(uint64_t h, uint64_t more)
{
	h = (h ^ more) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

struct line {
	uintptr_t start, end;
	char perms[4];
	uint64_t offset;
	uint64_t file;		/* device and inode; 0: anonymous */
};

/* The kernel's own tmpfs, of shared anonymous memory, has small inodes too. */
static uint64_t file_id(uint64_t major, uint64_t minor, uint64_t ino)
{
	return ino ? mix(mix(major, minor), ino) | 1 : 0;
}

static struct line lines[LINES_MAX];
static int nlines;
static int mem_fd = -1;

/* NULL where the shim is not loaded. */
static void (*probe_run)(uintptr_t, uintptr_t, struct probe_run *);
static size_t (*probe_pages)(void);
static uint64_t (*probe_persisted)(void), (*probe_copies)(void);

void inspect_start(void)
{
	if (mem_fd >= 0)
		close(mem_fd);
	mem_fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	/* Out of the way: the operations' own descriptors are compared. */
	if (mem_fd >= 0 && mem_fd < 500) {
		int high = fcntl(mem_fd, F_DUPFD_CLOEXEC, 500);

		close(mem_fd);
		mem_fd = high;
	}
	*(void **)&probe_run = dlsym(RTLD_DEFAULT, "pmemshim_probe_run");
	*(void **)&probe_pages = dlsym(RTLD_DEFAULT, "pmemshim_probe_pages");
	*(void **)&probe_persisted =
		dlsym(RTLD_DEFAULT, "pmemshim_probe_persisted");
	*(void **)&probe_copies = dlsym(RTLD_DEFAULT, "pmemshim_probe_copies");
}

static const char *hex(const char *p, uint64_t *value)
{
	for (*value = 0;; p++) {
		if (*p >= '0' && *p <= '9')
			*value = *value << 4 | (uint64_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			*value = *value << 4 | (uint64_t)(*p - 'a' + 10);
		else
			return p;
	}
}

static bool is_ours(const struct self *self, uintptr_t start, uintptr_t end)
{
	for (int i = 0; i <= SLOTS; i++) {
		uintptr_t base = (uintptr_t)self->slots[i].base;

		if (base && start < base + self->slots[i].len && end > base)
			return true;
	}
	return false;
}

/* "start-end perms offset major:minor inode path" */
static void parse_line(const struct self *self, const char *p)
{
	struct line line;
	uint64_t start, end, major, minor;

	p = hex(p, &start);
	p = hex(p + 1, &end);
	if (!is_ours(self, start, end) || nlines == LINES_MAX)
		return;
	for (int i = 0; i < 4; i++)
		line.perms[i] = p[1 + i];
	p = hex(p + 6, &line.offset);
	p = hex(p + 1, &major);
	p = hex(p + 1, &minor);
	line.file = file_id(major, minor, strtoull(p + 1, NULL, 10));
	line.start = start;
	line.end = end;
	lines[nlines++] = line;
}

static void read_lines(const struct self *self)
{
	static char text[256 * 1024];
	size_t len = 0;
	ssize_t n;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	nlines = 0;
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	for (char *p = text; *p; p = strchr(p, '\n') + 1)
		parse_line(self, p);
}

static const struct line *line_at(uintptr_t addr)
{
	for (int i = 0; i < nlines; i++)
		if (addr >= lines[i].start && addr < lines[i].end)
			return &lines[i];
	return NULL;
}

/* Files by the order in which they appear: they differ between the worlds. */
static uint64_t name_of(uint64_t *known, size_t *n, uint64_t file)
{
	for (size_t i = 0; i < *n; i++)
		if (known[i] == file)
			return i + 1;
	if (file == 0 || *n == 64)
		return 0;
	known[(*n)++] = file;
	return *n;
}

static uint64_t digest_slot(const struct slot *slot, uint64_t h,
			    uint64_t *known, size_t *nknown)
{
	uintptr_t base = (uintptr_t)slot->base, stop = base + slot->len;

	for (int i = 0; base && i < nlines; i++) {
		const struct line *line = &lines[i];
		uintptr_t start = line->start < base ? base : line->start;
		uint32_t perms;

		if (line->start >= stop || line->end <= base)
			continue;
		memcpy(&perms, line->perms, sizeof(perms));
		/* What is merged with what does not matter: page by page. */
		for (uintptr_t a = start; a < line->end && a < stop;
		     a += PAGE) {
			h = mix(h, a - base);
			h = mix(h, perms);
			h = mix(h, name_of(known, nknown, line->file));
			if (line->file)
				h = mix(h, line->offset + a - line->start);
		}
	}
	return h;
}

static void complain(const struct self *self, uint32_t step, const char *what,
		     uintptr_t addr)
{
	struct world *world = self->world;

	if (atomic_exchange(&world->complained, 1))
		return;
	world->complaint_step = step;
	snprintf(world->complaint, sizeof(world->complaint),
		 "registry: %s, page %#zx of the arena (%#zx)", what,
		 (size_t)(addr - (uintptr_t)self->slots[0].base) / PAGE,
		 (size_t)addr);
}

/* Each record of the registry stands for one file, and each file for one. */
struct pairs {
	const void *record[64];
	uint64_t file[64];
	size_t n;
};

static bool pair(struct pairs *pairs, const void *record, uint64_t file)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (pairs->record[i] == record || pairs->file[i] == file)
			return pairs->record[i] == record &&
			       pairs->file[i] == file;
	if (pairs->n < 64) {
		pairs->record[pairs->n] = record;
		pairs->file[pairs->n++] = file;
	}
	return true;
}

static const char *judge_page(const struct probe_run *run, uint64_t offset,
			      const struct line *line, uintptr_t addr,
			      struct pairs *pairs)
{
	if (run->stale)
		return "a value without a region";
	if (!line)
		return "a page that is not mapped";
	if (line->perms[3] != 's' || line->file == 0)
		return "a page that is no shared mapping of a file";
	if (line->offset + (addr - line->start) != offset)
		return "a page at another offset";
	if (run->readable && line->perms[0] != 'r' && line->perms[1] != 'w')
		return "an inaccessible page called readable";
	if (run->writable && line->perms[1] != 'w')
		return "a read-only page called writable";
	if (!pair(pairs, run->file, line->file))
		return "a page of another file";
	return NULL;
}

/* The file that the registry looks at has the size of the one mapped there. */
static bool size_fits(const struct self *self, const struct probe_run *run,
		      uintptr_t addr)
{
	const struct line *line = line_at(addr);
	struct stat st;

	for (int i = 0; i < FILES; i++)
		if (line && run->size_known &&
		    fstat(self->fds[i * 3 + 1], &st) == 0 &&
		    file_id(major(st.st_dev), minor(st.st_dev), st.st_ino) ==
			    line->file &&
		    (uint64_t)st.st_size != run->size)
			return false;
	return true;
}

/* The number of tracked pages of a slot. */
static size_t judge_slot(const struct self *self, const struct slot *slot,
			 uint32_t step, struct pairs *pairs)
{
	uintptr_t addr = (uintptr_t)slot->base, stop = addr + slot->len;
	size_t tracked = 0;
	struct probe_run run;

	for (; slot->base && addr < stop; addr = run.end) {
		probe_run(addr, stop, &run);
		if (!run.tracked)
			continue;
		tracked += (run.end - addr) / PAGE;
		if (!size_fits(self, &run, addr))
			complain(self, step, "a file of another size", addr);
		for (uintptr_t a = addr; a < run.end; a += PAGE) {
			const char *wrong = judge_page(
				&run, run.offset + (a - addr), line_at(a), a,
				pairs);

			if (wrong)
				complain(self, step, wrong, a);
		}
	}
	return tracked;
}

static size_t shared_pages(void)
{
	size_t n = 0;

	for (int i = 0; i < nlines; i++)
		if (lines[i].perms[3] == 's' && lines[i].file)
			n += (lines[i].end - lines[i].start) / PAGE;
	return n;
}

static void judge_registry(const struct self *self, uint32_t step)
{
	struct pairs pairs = { .n = 0 };
	size_t tracked = 0;

	for (int i = 0; i <= SLOTS; i++)
		tracked += judge_slot(self, &self->slots[i], step, &pairs);
	if (tracked != probe_pages())
		complain(self, step, "it counts other pages than it has here",
			 probe_pages());
	self->world->looks++;
	self->world->tracked_pages += tracked;
	self->world->shared_pages += shared_pages();
}

uint64_t inspect_maps(const struct self *self, uint32_t step)
{
	uint64_t h = 1, known[64];
	size_t nknown = 0;

	read_lines(self);
	for (int i = 0; i <= SLOTS; i++)
		h = digest_slot(&self->slots[i], mix(h, (uint64_t)i), known,
				&nknown);
	if (probe_run)
		judge_registry(self, step);
	return h;
}

static uint64_t digest_bytes(uint64_t h, const void *bytes, size_t len)
{
	const uint64_t *words = bytes;

	for (size_t i = 0; i < len / 8; i++)
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15u + (h >> 31);
	for (size_t i = len & ~(size_t)7; i < len; i++)
		h = mix(h, ((const unsigned char *)bytes)[i]);
	return h;
}

/* Every page, or where units are large the first and some others of each. */
static size_t stride(const struct self *self)
{
	return self->batch->unit_pages > 1 ? PAGE * 37 : PAGE;
}

uint64_t inspect_memory(const struct self *self)
{
	static _Alignas(64) char page[PAGE];
	uint64_t h = 1;

	read_lines(self);
	for (int s = 0; s <= SLOTS; s++) {
		const struct slot *slot = &self->slots[s];

		for (size_t at = 0; slot->base && at < slot->len;
		     at += stride(self)) {
			uintptr_t addr = (uintptr_t)slot->base + at;

			if (line_at(addr) &&
			    pread(mem_fd, page, PAGE, (off_t)addr) ==
				    (ssize_t)PAGE)
				h = digest_bytes(mix(h, at), page, PAGE);
		}
	}
	return h;
}

static uint64_t digest_file(uint64_t h, int fd, size_t step)
{
	static _Alignas(64) char page[PAGE];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return mix(h, 2);
	h = mix(h, (uint64_t)st.st_size);
	for (off_t at = 0; at < st.st_size; at += (off_t)step) {
		n = pread(fd, page, PAGE, at);
		h = mix(h, (uint64_t)n);
		if (n > 0)
			h = digest_bytes(h, page, (size_t)n);
	}
	return h;
}

uint64_t inspect_files(const struct self *self)
{
	uint64_t h = 1;

	for (int i = 0; i < FILES; i++)
		h = digest_file(h, self->fds[i * 3 + 1], stride(self));
	return h;
}

/* Private pages count as the file's, which they are until they are written. */
static bool same_page(uintptr_t a, uintptr_t b)
{
	const struct line *x = line_at(a), *y = line_at(b);

	return x && y && x->file && x->file == y->file &&
	       x->offset + (a - x->start) == y->offset + (b - y->start);
}

bool inspect_alias(const struct self *self, const char *a, const char *b,
		   size_t len)
{
	uintptr_t starts[] = { (uintptr_t)a & ~(PAGE - 1),
			       (uintptr_t)b & ~(PAGE - 1) };
	size_t pages = len / PAGE + 2;

	read_lines(self);
	for (size_t i = 0; i < 2 * pages; i++)
		for (size_t j = 0; j < i; j++) {
			uintptr_t x = starts[i / pages] + i % pages * PAGE;
			uintptr_t y = starts[j / pages] + j % pages * PAGE;

			if (x != y && same_page(x, y))
				return true;
		}
	return false;
}

void inspect_count(struct world *world)
{
	if (!probe_run)
		return;
	world->persisted += probe_persisted();
	world->copies += probe_copies();
}
