/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.c: the statistics file, filled as the program runs.
 *
 * Design: a page of our own, then the mapping of the file. The page holds the
 * address by which everybody counts, and the kernel hands a forked child that
 * page as zeros (MADV_WIPEONFORK): there statistics are off until
 * stats_after_fork, in a child that nobody told us of for ever.
 *
 *	area -> | address of the rules | header | rule 0 | rule 1 | ...
 *		  wiped on fork          the file, shared
 *
 * A thread that is between taking that address and counting while another one
 * maps over the area adds one number to the program's new memory; whoever maps
 * over what another thread's library uses has lost more than that.
 */
#include "shim/stats.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/log.h"
#include "shim/real.h"
#include "shim/stats_open.h"
#include "shim/sys.h"

#define PAGE		((size_t)4096)

/*
 * Where arms do not take turns, blocks are for the page faults alone; these
 * cost a system call at each block's end, which shall not be felt.
 */
#define LONG_BLOCK	16
#define ENDLESS_BLOCK	(UINT64_C(1) << 44)

static struct stats_file_rule *_Atomic off;
struct stats_file_rule *_Atomic *_Atomic stats_rules = &off;

static const char unknown;
const char *stats_alone = &unknown;

/* What is in memory of our own about a rule. */
struct course {
	uint64_t block_len;
	uint64_t inverse;	/* 2^64 / block_len; 0: of 1 */
	/* Ticks when the last call ended, times two, plus its arm; 0: taken. */
	_Atomic uint64_t last;
	uint64_t unseen;	/* syncs while statistics are off */
};

static const struct config *config;
static struct arch_ops arch;
static struct course courses[CONFIG_RULES_MAX];
static bool alternates;	/* some rule is mode=ab */
static uint64_t seed;
static atomic_flag renewing = ATOMIC_FLAG_INIT;

/* The page and the mapping, while they are ours. */
_Atomic uintptr_t stats_area, stats_area_end;
static struct stats_file_header *header;

static const char *const texts[] = {
#define COUNTER(name, text) text,
#include "shim/stats.def"
#undef COUNTER
};

_Static_assert(STATS_COUNTERS <= STATS_FILE_COUNTERS, "no room in the file");

const char *stats_text(enum stats_counter counter)
{
	return texts[counter];
}

/*
 * Clocks
 */

static uint64_t ticks_now(void)
{
	return arch.ticks ? arch.ticks() : real_ns(CLOCK_MONOTONIC);
}

static uint64_t ticks_after(void)
{
	return arch.ticks ? arch.ticks_after() : real_ns(CLOCK_MONOTONIC);
}

/* One thread at a time; another one has just done it. */
static void renew(uint64_t ticks)
{
	uint64_t n;

	if (atomic_flag_test_and_set_explicit(&renewing, memory_order_acquire))
		return;
	n = header->renewals + 1;
	header->renewed[n % 2].ticks = ticks;
	header->renewed[n % 2].ns = arch.ticks ? real_ns(CLOCK_MONOTONIC)
						: ticks;
	__atomic_store_n(&header->renewals, n, __ATOMIC_RELEASE);
	atomic_flag_clear_explicit(&renewing, memory_order_release);
}

/*
 * Turns
 */

/* The finalizer of SplitMix64 (public domain), a bijection on 64 bits. */
static uint64_t mix(uint64_t h)
{
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

enum stats_arm stats_assign(uint64_t from, size_t rule, uint64_t block)
{
	/* Mixed in between: sums of seed, rule and pair would collide. */
	uint64_t h = mix(mix(from + rule) + block / 2 + 1);

	return (h ^ block) & 1 ? STATS_ARM_USER : STATS_ARM_KERNEL;
}

/*
 * n / block_len. The product is exact below 2^44 calls; a division takes four
 * times as long as all the rest of counting a call.
 */
static uint64_t block_of(const struct course *course, uint64_t n)
{
	if (course->inverse == 0)
		return n;
	return (uint64_t)(((unsigned __int128)n * course->inverse) >> 64);
}

/* As stats_tally: a word of the file, here with one writer at a time. */
static uint64_t get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void put(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* Only its successor's first call closes a block, so it is closed once. */
static void close_block(struct stats_file_rule *rule, uint64_t number,
			uint64_t now, uint64_t faults)
{
	struct stats_file_block *block = &rule->blocks[number % STATS_BLOCKS];
	struct stats_file_arm *arm;
	uint64_t start;

	/* Its own first call may not have got as far as open_block. */
	if (__atomic_load_n(&block->number, __ATOMIC_ACQUIRE) != number + 1)
		return;
	arm = &rule->arms[get(&block->arm) % STATS_ARMS];
	start = get(&block->start);
	faults -= get(&block->faults);
	if (now < start)
		now = start;
	put(&block->faults, faults);
	stats_tally(&arm->block_ticks, now - start);
	stats_tally(&arm->block_calls, rule->block_len);
	stats_tally(&arm->block_faults, faults);
	stats_tally(&arm->blocks, 1);
	__atomic_store_n(&block->end, now, __ATOMIC_RELEASE);
}

static void clear_block(struct stats_file_block *block)
{
	put(&block->number, 0);
	put(&block->end, 0);
	put(&block->calls, 0);
	put(&block->bytes, 0);
	put(&block->sync_ticks, 0);
}

static void open_block(struct stats_file_block *block,
		       const struct stats_call *call, uint64_t faults)
{
	put(&block->arm, (uint64_t)call->arm);
	put(&block->start, call->start);
	put(&block->faults, faults);
	/* Pairs with the acquire load in close_block. */
	__atomic_store_n(&block->number, call->block + 1, __ATOMIC_RELEASE);
}

/*
 * The first call of a block. It begins anew when this is done: what asking for
 * the page faults costs is no arm's. Blocks to come are cleared far ahead:
 * other threads may be in them before their first call has opened them.
 */
static NOINLINE void turn(struct stats_file_rule *rule, struct stats_call *call)
{
	struct stats_file_block *blocks = rule->blocks;
	uint64_t faults = sys_page_faults();

	if (call->block > 0)
		close_block(rule, call->block - 1, call->start, faults);
	clear_block(&blocks[(call->block + STATS_BLOCKS_AHEAD) % STATS_BLOCKS]);
	renew(ticks_now());
	call->start = ticks_now();
	open_block(&blocks[call->block % STATS_BLOCKS], call, faults);
}

/*
 * Calls
 *
 * alone is a constant in each caller: asking for every counter whether it must
 * be locked would be half of the cost.
 */

static inline ALWAYS_INLINE void tally(bool alone, uint64_t *counter,
				       uint64_t n)
{
	if (alone)
		tally_alone(counter, n);
	else
		__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static inline ALWAYS_INLINE uint64_t next_sync(bool alone, uint64_t *counter)
{
	if (alone)
		return tally_next_alone(counter);
	return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* When the last call ended, for one taker. */
static inline ALWAYS_INLINE uint64_t take_last(bool alone,
					       _Atomic uint64_t *last)
{
	uint64_t old;

	if (!alone)
		return atomic_exchange_explicit(last, 0, memory_order_relaxed);
	old = atomic_load_explicit(last, memory_order_relaxed);
	atomic_store_explicit(last, 0, memory_order_relaxed);
	return old;
}

/* The gap since the last call, charged to that one, and to no other. */
static inline ALWAYS_INLINE void charge_gap(bool alone,
					    struct stats_file_rule *rule,
					    struct course *course, uint64_t now)
{
	uint64_t last = take_last(alone, &course->last);
	struct stats_file_arm *arm = &rule->arms[last % 2];

	if (last == 0 || now < last / 2)
		return;
	now -= last / 2;
	tally(alone, &arm->between_ticks, now);
	tally(alone, &arm->between_calls, 1);
	tally(alone, &arm->between[stats_bucket(now)], 1);
}

uint64_t stats_ticks(void)
{
	return ticks_now();
}

static inline ALWAYS_INLINE void begin(bool alone, struct stats_call *call,
				       struct stats_file_rule *rule,
				       bool takes_turns)
{
	struct course *course = &courses[call->rule];
	uint64_t n = next_sync(alone, rule ? &rule->syncs : &course->unseen);

	call->block = block_of(course, n);
	if (takes_turns)
		call->arm = stats_assign(seed, call->rule, call->block);
	if (!rule)
		return;
	charge_gap(alone, rule, course, call->start);
	if (n == call->block * course->block_len)
		turn(rule, call);
}

void stats_begin(struct stats_call *call, size_t rule, uint64_t start,
		 bool takes_turns)
{
	struct stats_file_rule *rules = start ? stats_file() : NULL;
	struct stats_file_rule *at = rules ? &rules[rule] : NULL;

	call->start = rules ? start : 0;
	call->rule = rule;
	if (likely(*stats_alone))
		begin(true, call, at, takes_turns);
	else
		begin(false, call, at, takes_turns);
}

static inline void raise_to(uint64_t *max, uint64_t value)
{
	uint64_t old = __atomic_load_n(max, __ATOMIC_RELAXED);

	while (unlikely(value > old) &&
	       !__atomic_compare_exchange_n(max, &old, value, true,
					    __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

static inline ALWAYS_INLINE void end(bool alone, const struct stats_call *call,
				     struct stats_file_rule *rule,
				     uint64_t ticks, uint64_t bytes)
{
	struct stats_file_arm *arm = &rule->arms[call->arm];
	struct stats_file_block *block =
		&rule->blocks[call->block % STATS_BLOCKS];

	tally(alone, &arm->calls, 1);
	tally(alone, &arm->bytes, bytes);
	tally(alone, &arm->sync_ticks, ticks);
	tally(alone, &arm->latency[stats_bucket(ticks)], 1);
	tally(alone, &block->calls, 1);
	tally(alone, &block->bytes, bytes);
	tally(alone, &block->sync_ticks, ticks);
	raise_to(&arm->max_ticks, ticks);
}

void stats_end(const struct stats_call *call, uint64_t bytes, bool by_kernel)
{
	struct stats_file_rule *rules = stats_file();
	uint64_t now, ticks;

	if (!rules || !call->start)
		return;
	now = ticks_after();
	ticks = now > call->start ? now - call->start : 0;
	if (likely(*stats_alone))
		end(true, call, &rules[call->rule], ticks, bytes);
	else
		end(false, call, &rules[call->rule], ticks, bytes);
	atomic_store_explicit(&courses[call->rule].last,
			      now * 2 + (uint64_t)call->arm,
			      memory_order_relaxed);
	if (by_kernel)
		renew(now);
}

void stats_believe(size_t rule, size_t cell,
		   const struct stats_file_belief *belief)
{
	struct stats_file_rule *rules = stats_file();
	const uint64_t *from = (const uint64_t *)belief;
	uint64_t *to;

	if (!rules)
		return;
	to = (uint64_t *)&rules[rule].beliefs[cell];
	for (size_t i = 0; i < sizeof(*belief) / sizeof(*to); i++)
		put(&to[i], from[i]);
}

/*
 * The area
 */

static void set_area(uintptr_t start, uintptr_t end)
{
	atomic_store_explicit(&stats_area, start, memory_order_relaxed);
	atomic_store_explicit(&stats_area_end, end, memory_order_relaxed);
}

void stats_forget(uintptr_t addr, uintptr_t end)
{
	if (!stats_lies_in(addr, end))
		return;
	atomic_store_explicit(&stats_rules, &off, memory_order_relaxed);
	set_area(0, 0);
	log_write(LOG_WARN, "PMEMSHIM_STATS: the program uses the memory that statistics were kept in; they end here");
}

/* Memory for the page and the file, with the page in place. */
static uintptr_t reserve(size_t len)
{
	/* Not among our own pages: Valgrind refuses MAP_FIXED there. */
	char *page = sys_mmap(NULL, len, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 0;
	/* Without it, Linux before 4.14, children would count in this file. */
	if (sys_madvise(page, PAGE, MADV_WIPEONFORK) == 0)
		return (uintptr_t)page;
	sys_munmap(page, len);
	return 0;
}

/* Populated: its page faults are not the program's. */
static bool map_file(int fd, size_t len)
{
	uintptr_t start = reserve(PAGE + len);
	void *file;

	if (!start)
		return false;
	file = sys_mmap((void *)(start + PAGE), len, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0);
	if (file == MAP_FAILED) {
		int error = errno;

		sys_munmap((void *)start, PAGE + len);
		errno = error;
		return false;
	}
	header = file;
	set_area(start, start + PAGE + len);
	return true;
}

/*
 * What the file says of itself
 */

static void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
}

static const char *flush_name(void)
{
	static const char *const names[] = {
		[ARCH_CLFLUSH] = "clflush",
		[ARCH_CLFLUSHOPT] = "clflushopt",
		[ARCH_CLWB] = "clwb",
	};

	for (int kind = ARCH_FLUSH_COUNT - 1; kind >= 0; kind--)
		if (arch.flush[kind])
			return names[kind];
	return "none";
}

/* Field 22 of /proc/self/stat; field 2 may hold spaces and parentheses. */
static uint64_t start_time(void)
{
	char text[1024];
	int fd = sys_open("/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);
	ssize_t n = fd < 0 ? -1 : sys_read(fd, text, sizeof(text) - 1);
	const char *field;
	uint64_t ticks = 0;

	if (fd >= 0)
		sys_close(fd);
	text[n > 0 ? n : 0] = '\0';
	field = strrchr(text, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	for (field += field != NULL; field && *field >= '0' && *field <= '9';
	     field++)
		ticks = ticks * 10 + (uint64_t)(*field - '0');
	return ticks;
}

static void fill_rule(struct stats_file_rule *out, size_t i)
{
	const struct config_rule *rule = &config->rules[i];

	copy_text(out->path, sizeof(out->path),
		  rule->path_len ? rule->path : "/");
	config_spell(rule, out->options, sizeof(out->options));
	out->mode = (uint64_t)rule->mode;
	out->block_len = courses[i].block_len;
}

static void fill_program(void)
{
	ssize_t n = sys_readlink("/proc/self/exe", header->program,
				 sizeof(header->program) - 1);

	if (n <= 0)
		copy_text(header->program, sizeof(header->program),
			  program_invocation_name);
}

static void fill_header(void)
{
	header->version = STATS_FILE_VERSION;
	header->header_size = sizeof(struct stats_file_header);
	header->rule_size = sizeof(struct stats_file_rule);
	header->nrules = (uint32_t)config->nrules;
	header->arms = STATS_ARMS;
	header->buckets = STATS_BUCKETS;
	header->blocks = STATS_BLOCKS;
	header->cells = STATS_CELLS;
	header->counters = STATS_COUNTERS;
	header->pid = getpid();
	header->ppid = getppid();
	header->file_size = stats_area_end - stats_area - PAGE;
	header->start_realtime = real_ns(CLOCK_REALTIME);
	header->start_time = start_time();
	header->seed = seed;
	header->clock = arch.ticks ? STATS_CLOCK_TSC : STATS_CLOCK_NS;
	fill_program();
	copy_text(header->shim_version, sizeof(header->shim_version),
		  PMEMSHIM_VERSION);
	copy_text(header->flush, sizeof(header->flush), flush_name());
	copy_text(header->stream, sizeof(header->stream),
		  arch.stream ? arch.stream->name : "none");
	header->first_ticks = ticks_now();
	header->first_ns = arch.ticks ? real_ns(CLOCK_MONOTONIC)
				       : header->first_ticks;
	header->renewed[0].ticks = header->first_ticks;
	header->renewed[0].ns = header->first_ns;
}

/*
 * Start, fork and end
 */

static void draw_seed(void)
{
	/* No system call that nobody has asked for. */
	if (!alternates && !config->stats)
		return;
	seed = config->seed;
	if (!config->seeded &&
	    sys_random(&seed, sizeof(seed)) != (ssize_t)sizeof(seed))
		seed = mix(real_ns(CLOCK_MONOTONIC) ^ (uint64_t)getpid());
}

/* One line for a family of processes that all fail alike. */
static void warn_once(const char *why)
{
	static bool warned;

	if (!warned)
		log_write(LOG_WARN, "PMEMSHIM_STATS: %.512s: %s; no statistics are kept",
			  config->stats, why);
	warned = true;
}

static void start_file(void)
{
	const size_t size = sizeof(struct stats_file_header) +
			    config->nrules * sizeof(struct stats_file_rule);
	struct stats_file_rule *_Atomic *slot;
	struct stats_file_rule *rules;
	const char *why;
	int fd = stats_open(config->stats, size, &why);
	bool mapped = fd >= 0 && map_file(fd, size);

	if (fd >= 0 && !mapped)
		why = strerrordesc_np(errno);
	if (fd >= 0)
		sys_close(fd);
	if (!mapped) {
		warn_once(why);
		return;
	}
	rules = (struct stats_file_rule *)(header + 1);
	fill_header();
	for (size_t i = 0; i < config->nrules; i++)
		fill_rule(&rules[i], i);
	__atomic_store_n(&header->magic, STATS_FILE_MAGIC, __ATOMIC_RELEASE);
	slot = (struct stats_file_rule *_Atomic *)stats_area;
	atomic_store_explicit(slot, rules, memory_order_relaxed);
	atomic_store_explicit(&stats_rules, slot, memory_order_release);
}

static void plan_course(struct course *course, const struct config_rule *rule)
{
	course->block_len = rule->block;
	if (rule->mode != CONFIG_MODE_AB)
		course->block_len *= LONG_BLOCK;
	/* A block of both arms would be charged to one of them. */
	if (rule->mode == CONFIG_MODE_AUTO)
		course->block_len = ENDLESS_BLOCK;
	course->inverse = UINT64_MAX / course->block_len + 1;
}

void stats_init(const struct config *the_config, const struct arch_ops *ops)
{
	const char *alone = dlsym(RTLD_DEFAULT, "__libc_single_threaded");

	config = the_config;
	arch = *ops;
	/* Looked up: glibc has it since 2.32. */
	stats_alone = alone ? alone : &unknown;
	for (size_t i = 0; i < config->nrules; i++) {
		plan_course(&courses[i], &config->rules[i]);
		alternates |= config->rules[i].mode == CONFIG_MODE_AB;
	}
	draw_seed();
	if (config->stats)
		start_file();
	else if (alternates)
		log_write(LOG_WARN, "mode=ab without PMEMSHIM_STATS: syncs take turns, and nothing is measured");
}

void stats_after_fork(void)
{
	uintptr_t old = stats_area, old_end = stats_area_end;

	if (!config)
		return;
	atomic_store_explicit(&stats_rules, &off, memory_order_relaxed);
	set_area(0, 0);
	atomic_flag_clear(&renewing);
	for (size_t i = 0; i < config->nrules; i++)
		atomic_store_explicit(&courses[i].last, 0,
				      memory_order_relaxed);
	draw_seed();
	if (!old)
		return;
	sys_munmap((void *)old, old_end - old);
	start_file();
}

void stats_finish(void)
{
	if (!stats_file())
		return;
	renew(ticks_now());
	__atomic_store_n(&header->ended, ticks_now(), __ATOMIC_RELEASE);
}

void stats_retire(void)
{
	stats_finish();
	atomic_store_explicit(&stats_rules, &off, memory_order_relaxed);
}
