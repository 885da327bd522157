/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * contend.c: the contenders, all in one process.
 *
 * Design: the process itself runs under the preloaded shim, so a plain call
 * of memcpy or msync here is what a preloaded program gets: PLT, lookup,
 * contract. libpmem is loaded twice, each into a namespace of its own, where
 * the shim does not reach and where the environment it reads at start can
 * differ. libc's own functions are found in libc's handle.
 */
#include "bench.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/arch/arch.h"

typedef void *(*copy_fn)(void *, const void *, size_t);
typedef void *(*set_fn)(void *, int, size_t);
typedef int (*msync_fn)(void *, size_t, int);

struct libpmem {
	void *handle;
	void (*persist)(const void *, size_t);
	int (*msync)(const void *, size_t);
	copy_fn copy, move;
	set_fn set;
};

static struct libpmem plain, no_avx512;
static struct arch_ops ops;
static arch_flush_fn flush;
static copy_fn libc_memcpy, libc_memmove;
static set_fn libc_memset;
static msync_fn libc_msync;
static char *rooms[ROOMS], *src_room;
static size_t size_of_room;
static const char *const room_names[ROOMS] = { "verify", "noverify", "stream",
					       "plain" };

void *libc_symbol(const char *name)
{
	static void *libc;

	if (!libc)
		libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	return libc ? dlsym(libc, name) : NULL;
}

void evict(const void *addr, size_t len)
{
	const char *line = addr;
	arch_flush_fn out = ops.flush[ARCH_CLFLUSHOPT]
			  ? ops.flush[ARCH_CLFLUSHOPT]
			  : ops.flush[ARCH_CLFLUSH];

	out(line, len);
	_mm_mfence();
}

/* The object pointers of dlsym are function pointers on every POSIX system. */
static void bind(void *handle, const char *name, void *where)
{
	void *symbol = dlsym(handle, name);

	memcpy(where, &symbol, sizeof(symbol));
}

static void load_libpmem(struct libpmem *lib, const char *avx512)
{
	if (avx512)
		setenv("PMEM_AVX512F", avx512, 1);
	lib->handle = dlmopen(LM_ID_NEWLM, "libpmem.so.1", RTLD_NOW);
	unsetenv("PMEM_AVX512F");
	if (!lib->handle)
		return;
	bind(lib->handle, "pmem_persist", &lib->persist);
	bind(lib->handle, "pmem_msync", &lib->msync);
	bind(lib->handle, "pmem_memcpy_persist", &lib->copy);
	bind(lib->handle, "pmem_memmove_persist", &lib->move);
	bind(lib->handle, "pmem_memset_persist", &lib->set);
}

const char *libpmem_version(void)
{
	const char *(*check)(unsigned int, unsigned int) = NULL;

	if (!plain.handle)
		return "absent";
	bind(plain.handle, "pmem_check_version", &check);
	return check && check(1, 1) == NULL ? "libpmem.so.1" : "unknown";
}

const char *flush_name(void)
{
	return flush == ops.flush[ARCH_CLWB]	     ? "clwb"
	     : flush == ops.flush[ARCH_CLFLUSHOPT] ? "clflushopt"
						     : "clflush";
}

const char *kernel_name(void)
{
	return ops.stream ? ops.stream->name : "none";
}

/*
 * One file, every page of it written, under a name for each rule: where a page
 * lies in the memory and how often the others come by decide over 7 %.
 */
static char *map_room(const char *dir, enum room room)
{
	static char first[4096];
	char path[4096];
	char *p;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/room", dir, room_names[room]);
	if (!*first)
		snprintf(first, sizeof(first), "%s", path);
	else if (link(first, path)) {
		perror(path);
		exit(1);
	}
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, (off_t)size_of_room)) {
		perror(path);
		exit(1);
	}
	p = mmap(NULL, size_of_room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	memset(p, 1, size_of_room);
	/* The first call on a mapping is the kernel's. */
	msync(p, size_of_room, MS_SYNC);
	return p;
}

void contend_init(const char *dir, size_t most)
{
	arch_init(&ops);
	for (size_t i = 0; i < ARCH_FLUSH_COUNT; i++)
		if (ops.flush[i])
			flush = ops.flush[i];
	if (!ops.stream || !flush) {
		fprintf(stderr, "bench: nothing can be persisted from user space here\n");
		exit(77);
	}
	load_libpmem(&plain, NULL);
	load_libpmem(&no_avx512, "0");
	if (!plain.handle)
		fprintf(stderr, "bench: no libpmem (package libpmem1); ratios are to the bare kernel\n");
	libc_memcpy = (copy_fn)libc_symbol("memcpy");
	libc_memmove = (copy_fn)libc_symbol("memmove");
	libc_memset = (set_fn)libc_symbol("memset");
	libc_msync = (msync_fn)libc_symbol("msync");
	size_of_room = 2 * most + 4 * MIB;
	for (int room = 0; room < ROOMS; room++)
		rooms[room] = map_room(dir, (enum room)room);
	src_room = mmap(NULL, size_of_room, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (src_room == MAP_FAILED) {
		perror("bench: source");
		exit(1);
	}
	for (size_t i = 0; i < size_of_room; i++)
		src_room[i] = (char)(i * 31 + i / 4096);
}

char *room_of(enum room room)
{
	return rooms[room];
}

const char *source(void)
{
	return src_room;
}

size_t room_size(void)
{
	return size_of_room;
}

/*
 * What they do. Durable on return, if not said otherwise.
 */

static void sync_pages(msync_fn sync, const struct call *call)
{
	char *page = call->dst - (uintptr_t)call->dst % 4096;

	if (sync(page, (size_t)(call->dst + call->len - page), MS_SYNC))
		abort();
}

static void pmem_copy(const struct contender *self, const struct call *call)
{
	const struct libpmem *lib = self->own;

	lib->copy(call->dst, call->src, call->len);
}

static void pmem_move(const struct contender *self, const struct call *call)
{
	const struct libpmem *lib = self->own;

	lib->move(call->dst, call->src, call->len);
}

static void pmem_set(const struct contender *self, const struct call *call)
{
	const struct libpmem *lib = self->own;

	lib->set(call->dst, 0x5a, call->len);
}

static void pmem_persist(const struct contender *self, const struct call *call)
{
	const struct libpmem *lib = self->own;

	lib->persist(call->dst, call->len);
}

static void pmem_msync(const struct contender *self, const struct call *call)
{
	const struct libpmem *lib = self->own;

	if (lib->msync(call->dst, call->len))
		abort();
}

static void shim_copy(const struct contender *self, const struct call *call)
{
	(void)self;
	memcpy(call->dst, call->src, call->len);
}

static void shim_move(const struct contender *self, const struct call *call)
{
	(void)self;
	memmove(call->dst, call->src, call->len);
}

static void shim_set(const struct contender *self, const struct call *call)
{
	(void)self;
	memset(call->dst, 0x5a, call->len);
}

static void shim_sync(const struct contender *self, const struct call *call)
{
	(void)self;
	sync_pages(msync, call);
}

static void shim_copy_sync(const struct contender *self,
			   const struct call *call)
{
	(void)self;
	memcpy(call->dst, call->src, call->len);
	sync_pages(msync, call);
}

static void bare_copy(const struct contender *self, const struct call *call)
{
	const struct arch_stream *stream = self->own;

	stream->copy(call->dst, call->src, call->len, flush);
	ops.drain();
}

static void bare_set(const struct contender *self, const struct call *call)
{
	const struct arch_stream *stream = self->own;

	stream->set(call->dst, 0x5a5a5a5a, call->len, flush);
	ops.drain();
}

void persist_bare(const void *addr, size_t len)
{
	flush(addr, len);
	ops.drain();
}

static void bare_persist(const struct contender *self, const struct call *call)
{
	(void)self;
	persist_bare(call->dst, call->len);
}

static void libc_copy_flush(const struct contender *self,
			    const struct call *call)
{
	libc_memcpy(call->dst, call->src, call->len);
	bare_persist(self, call);
}

static void libc_move_flush(const struct contender *self,
			    const struct call *call)
{
	libc_memmove(call->dst, call->src, call->len);
	bare_persist(self, call);
}

static void libc_set_flush(const struct contender *self,
			   const struct call *call)
{
	libc_memset(call->dst, 0x5a, call->len);
	bare_persist(self, call);
}

/* Not durable. */
static void libc_copy(const struct contender *self, const struct call *call)
{
	(void)self;
	libc_memcpy(call->dst, call->src, call->len);
}

static void libc_set(const struct contender *self, const struct call *call)
{
	(void)self;
	libc_memset(call->dst, 0x5a, call->len);
}

/* Durable only on a file system without DAX, or through its driver. */
static void kernel_sync(const struct contender *self, const struct call *call)
{
	(void)self;
	sync_pages(libc_msync, call);
}

static void kernel_copy_sync(const struct contender *self,
			     const struct call *call)
{
	libc_memcpy(call->dst, call->src, call->len);
	kernel_sync(self, call);
}

/* The limit: whole lines of one value, nothing loaded, nothing ragged. */
static void only_stores(const struct contender *self, const struct call *call)
{
	char *line = call->dst + (-(uintptr_t)call->dst & (ARCH_LINE - 1));
	char *end = call->dst + call->len;

	(void)self;
	line = line < end ? line : end;
	ops.stream->set(line, 0x5a5a5a5a, (size_t)(end - line) & ~(ARCH_LINE - 1),
			flush);
	ops.drain();
}

static struct contender lists[OPERATIONS][CONTENDERS_MAX];
static size_t counts[OPERATIONS];

static void offer(enum operation operation, const char *name,
		  void (*run)(const struct contender *, const struct call *),
		  enum room room, const void *own)
{
	struct contender *c = &lists[operation][counts[operation]++];

	c->name = name;
	c->run = run;
	c->room = room;
	c->own = own;
}

static void offer_libpmem(void)
{
	if (!plain.handle)
		return;
	offer(COPY, "libpmem", pmem_copy, VERIFY, &plain);
	offer(MOVE, "libpmem", pmem_move, VERIFY, &plain);
	offer(SET, "libpmem", pmem_set, VERIFY, &plain);
	offer(PERSIST, "libpmem", pmem_persist, VERIFY, &plain);
	offer(COPY_SYNC, "libpmem", pmem_copy, VERIFY, &plain);
}

static void offer_shim(void)
{
	offer(COPY, "shim", shim_copy, VERIFY, NULL);
	offer(MOVE, "shim", shim_move, VERIFY, NULL);
	offer(SET, "shim", shim_set, VERIFY, NULL);
	offer(PERSIST, "shim", shim_sync, VERIFY, NULL);
	offer(PERSIST, "shim-noverify", shim_sync, NOVERIFY, NULL);
	offer(COPY_SYNC, "shim", shim_copy_sync, VERIFY, NULL);
	offer(COPY_SYNC, "shim-noverify", shim_copy_sync, NOVERIFY, NULL);
	offer(COPY_SYNC, "shim-stream", shim_copy_sync, STREAM, NULL);
	offer(COPY_SYNC, "shim-plain", shim_copy_sync, PLAIN, NULL);
}

static void offer_bare(void)
{
	for (size_t i = ops.nstreams; i > 0; i--) {
		const struct arch_stream *stream = &ops.streams[i - 1];

		if (!stream->usable)
			continue;
		offer(COPY, stream->name, bare_copy, VERIFY, stream);
		offer(SET, stream->name, bare_set, VERIFY, stream);
	}
	offer(MOVE, "bare", bare_copy, VERIFY, ops.stream);
	offer(PERSIST, "bare", bare_persist, VERIFY, NULL);
	offer(COPY, "stores", only_stores, VERIFY, NULL);
	offer(SET, "stores", only_stores, VERIFY, NULL);
}

static void offer_rest(void)
{
	if (no_avx512.handle) {
		offer(COPY, "libpmem-avx", pmem_copy, VERIFY, &no_avx512);
		offer(MOVE, "libpmem-avx", pmem_move, VERIFY, &no_avx512);
		offer(SET, "libpmem-avx", pmem_set, VERIFY, &no_avx512);
	}
	offer(COPY, "libc+flush", libc_copy_flush, VERIFY, NULL);
	offer(COPY, "libc", libc_copy, VERIFY, NULL);
	offer(MOVE, "libc+flush", libc_move_flush, VERIFY, NULL);
	offer(SET, "libc+flush", libc_set_flush, VERIFY, NULL);
	offer(SET, "libc", libc_set, VERIFY, NULL);
	offer(COPY_SYNC, "libc+flush", libc_copy_flush, VERIFY, NULL);
	offer(COPY_SYNC, "libc+msync", kernel_copy_sync, VERIFY, NULL);
	if (plain.handle)
		offer(PERSIST, "pmem_msync", pmem_msync, VERIFY, &plain);
	offer(PERSIST, "libc-msync", kernel_sync, VERIFY, NULL);
}

size_t contenders_of(enum operation operation, struct contender **list)
{
	if (counts[COPY] == 0) {
		offer_libpmem();
		offer_shim();
		offer_bare();
		offer_rest();
	}
	*list = lists[operation];
	return counts[operation];
}
