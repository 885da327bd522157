/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * learn.c: one cell after another: take the way that is believed to be the
 * cheapest, look from time to time what it costs, and try the other one as
 * often as a small share of the time spent allows.
 *
 * Design: the calls of a cell come in stretches:
 *
 *	run	the chosen way, as cheap as can be: nothing is timed
 *	timed	the chosen way, timed; from the first call's begin to that of
 *		the first call behind the stretch
 *	settle	another way than before: what the old one left behind
 *		(dirty tags) is not charged
 *	try	that way, timed; then whichever is cheaper goes on
 *
 * A try costs what it costs, so a purse is filled with a share of the time that
 * the chosen way takes, and a try is made when the purse holds what it is
 * expected to cost more, with what the kernel's msync leaves behind: faults,
 * and times that have moved, so that the next persists commit metadata. A
 * cost that has moved since the last try asks for a new one sooner; so does a
 * call that was the kernel's anyway. What walking a range costs at least is
 * known before it is tried, so nobody walks 10 GiB to learn that it takes
 * seconds. User space is given the benefit of the doubt: while the kernel's
 * leavings last, its syncs are taken for as cheap as they will be without.
 *
 * Faults are counted, not timed: the time between two syncs is mostly the
 * program's own. What one fault costs follows from how much longer that time
 * is where there are more of them, by a median that a late thread or a pause
 * of the program does not move.
 */
#include "shim/learn.h"

#include "config/config.h"
#include "shim/compiler.h"
#include "shim/real.h"
#include "shim/sys.h"

/* Calls in a stretch. */
enum {
	RUN_FIRST = 12,
	RUN = 28,
	RUN_CHEAP = 380,	/* of syncs so short that the clock counts */
	TIMED = 4,
	TIMED_TRY = 2,
	SETTLE_KERNEL = 1,	/* cleans what the walks left dirty */
	SETTLE_USER = 2,	/* the first may be the kernel's by the contract */
};

#define CHEAP_NS	4000
/* Up to this length one msync of the kernel cannot be dear all of a sudden. */
#define CHEAP_LEN	65536
/* Tries may take this share of the time: 1 / 64. */
#define SHARE		64
/* ... and as much as this many syncs by the chosen way, saved up or ahead. */
#define PURSE_MAX	1000
#define FIRST_TRY	20
#define PROBATION_RUNS	4
/* How many runs long a disappointment is remembered. */
#define SOBER_RUNS	64
#define SOBER_RUNS_MAX	4096
/* Another way is taken when it is this much cheaper: 1 / 32. */
#define MARGIN		32
/* A sync that takes this many times what the others of its stretch take was
 * interrupted. */
#define OUTLIER		8
/* A first sync this many times dearer than a walk needs no second look. */
#define OBVIOUS		8

/*
 * Where the beliefs start, of a machine with DRAM (a core of the Sapphire
 * Rapids generation): a line between absent and dirty, one that is absent, the
 * same where each flush waits for the one before, a fault after msync,
 * a page that the walk is the first to touch, a commit of metadata, and how
 * long the clock that stamps inodes stands still.
 */
#define LINE_PS		4400
#define LINE_LEAST_PS	2000
#define SERIAL_PS	150000
#define SERIAL_LEAST_PS	80000
#define FAULT_NS	1000
#define TOUCH_NS	2500
#define COMMIT_NS	1500
#define TICK_NS		UINT64_C(4000000)
#define COMMITS_MOST	1024
#define CALL_NS		300
#define FAULT_NS_MIN	100
#define FAULT_NS_MAX	20000
#define COMMIT_NS_MIN	100
#define COMMIT_NS_MAX	100000
#define LINE_PS_MIN	500
#define LINE_PS_MAX	400000
#define LINE		64
#define PAGE		4096

enum stage { RUNNING, RUN_TIMED, SETTLE, TRY };

/* One way, as far as it is known. Times in ns, faults in thousandths. */
struct way {
	_Atomic uint64_t sync, faults, gap, samples;
	bool doubted;		/* the last sample was far from all others */
	bool hoped;		/* nothing but the benefit of the doubt */
};

struct learn_cell {
	_Atomic int64_t left;		/* calls in this stretch */
	_Atomic uint64_t stretch;	/* its number; 0: never used */
	_Atomic int arm, chosen, stage;
	_Atomic bool cleaned;		/* the kernel has just served a call */
	_Atomic uint64_t turning;	/* since when a thread turns; 0: none */
	/* The timed stretch. */
	_Atomic uint64_t sum, max, timed, began, faults;
	_Atomic uint64_t commits;	/* of it, ns of committing metadata */
	_Atomic uint64_t forced_sum, forced;	/* the kernel's against arm */
	/* Who turns is the only one to change what follows. */
	struct way ways[STATS_ARMS];
	int64_t purse;
	uint64_t cost_at_try;
	uint64_t runs, run;		/* how many, and calls in the last one */
	uint64_t spent, settled;	/* by the try: ns, calls */
	/* User space had its turn back: when, and in which run. */
	uint64_t returned, returned_run;
	/* The benefit of the doubt was not deserved: not before this run, and
	 * then not for so many. */
	uint64_t sober_until, sober_for;
	uint64_t len;			/* of the call that turned */
	enum learn_walk walk;
	bool confirming;
	_Atomic uint64_t changes, tries;
};

static struct learn_cell cells[CONFIG_RULES_MAX][STATS_CELLS];
static _Atomic size_t rows;	/* from here on none was ever used */
static struct learn_sources source;
static learn_report_fn reporter;
/* Of the whole machine. */
static _Atomic uint64_t fault_ns = FAULT_NS, commit_ns = COMMIT_NS;
static _Atomic uint64_t line_ps, line_least_ps;

static uint64_t get(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static void add(_Atomic uint64_t *word, uint64_t n)
{
	atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

static int get_int(const _Atomic int *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void set_int(_Atomic int *word, int value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static enum stats_arm other(enum stats_arm arm)
{
	return arm == STATS_ARM_KERNEL ? STATS_ARM_USER : STATS_ARM_KERNEL;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t excess(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

size_t learn_cell_number(uint64_t len, bool small)
{
	unsigned int class = 63 - (unsigned int)__builtin_clzll(len / PAGE | 1);

	if (class >= STATS_CLASSES)
		class = STATS_CLASSES - 1;
	return 2 * class + small;
}

/*
 * Beliefs
 */

static bool is_known(const struct way *way)
{
	return get(&way->samples) > 0;
}

/* In ns, never 0. */
static uint64_t cost(const struct way *way)
{
	return get(&way->sync) + get(&way->faults) * get(&fault_ns) / 1000 + 1;
}

static uint64_t chosen_cost(const struct learn_cell *cell)
{
	return cost(&cell->ways[get_int(&cell->chosen)]);
}

static uint64_t walk(const struct learn_cell *cell, uint64_t ps)
{
	if (cell->walk == LEARN_NO_WALK)
		return CALL_NS;
	return CALL_NS + cell->len / LINE * ps / 1000;
}

/* What walking the range may cost, and what it does at the least. */
static uint64_t walk_guess(const struct learn_cell *cell)
{
	return walk(cell, get(&line_ps));
}

static uint64_t walk_least(const struct learn_cell *cell)
{
	return walk(cell, get(&line_least_ps));
}

static void follow(_Atomic uint64_t *belief, uint64_t seen, uint64_t samples)
{
	const uint64_t weight = samples < 3 ? samples + 1 : 4;
	const uint64_t old = get(belief);

	set(belief, old + seen / weight - old / weight);
}

/* The median of a stream of numbers: a step towards each. */
static void step(_Atomic uint64_t *belief, uint64_t seen, uint64_t min,
		 uint64_t max)
{
	uint64_t old = get(belief);
	uint64_t next = seen > old ? old + old / 8 : old - old / 8;

	if (seen > old ? next > seen : next < seen)
		next = seen;
	set(belief, next < min ? min : next > max ? max : next);
}

/*
 * The ways differ in faults and in the time between syncs: by how much each?
 * Only where faults are much of that time: else it is chance.
 */
static void learn_fault(const struct learn_cell *cell)
{
	const struct way *kernel = &cell->ways[STATS_ARM_KERNEL];
	const struct way *user = &cell->ways[STATS_ARM_USER];
	const uint64_t more = get(&kernel->faults), less = get(&user->faults);
	const uint64_t longer = get(&kernel->gap), shorter = get(&user->gap);

	if (!is_known(kernel) || !is_known(user) || more < less + 500 ||
	    (more - less) * get(&fault_ns) / 1000 < longer / 4)
		return;
	step(&fault_ns, longer > shorter
			? (longer - shorter) * 1000 / (more - less) : 0,
	     FAULT_NS_MIN, FAULT_NS_MAX);
}

static void guess_line(enum learn_walk walk)
{
	if (get(&line_ps) != 0)
		return;
	set(&line_least_ps, walk == LEARN_WALK_SERIAL ? SERIAL_LEAST_PS
						      : LINE_LEAST_PS);
	set(&line_ps, walk == LEARN_WALK_SERIAL ? SERIAL_PS : LINE_PS);
}

/* Of ranges that are long enough: a median, and the least. */
static void learn_line(const struct learn_cell *cell, uint64_t sync)
{
	const uint64_t lines = cell->len / LINE;
	uint64_t ps;

	if (cell->walk == LEARN_NO_WALK || lines < 1024)
		return;
	ps = sync * 1000 / lines;
	step(&line_ps, ps, LINE_PS_MIN, LINE_PS_MAX);
	if (ps > LINE_PS_MIN && ps < get(&line_least_ps))
		set(&line_least_ps, ps);
}

/* A sync of this stretch, without an interruption of the thread. */
static uint64_t mean_sync(const struct learn_cell *cell, uint64_t n)
{
	const uint64_t sum = get(&cell->sum), max = get(&cell->max);
	uint64_t limit;

	if (n < 2)
		return sum;
	limit = excess(sum, max) / (n - 1) * OUTLIER + CALL_NS;
	return (max > limit ? excess(sum, max) + limit : sum) / n;
}

/* Two samples far from the belief in a row are a new belief. */
static uint64_t weight_of(struct way *way, uint64_t sync)
{
	const uint64_t samples = get(&way->samples), old = get(&way->sync);
	const bool far = sync > 2 * old || sync < old / 2;
	const bool renew = way->hoped || (far && way->doubted);

	way->hoped = false;
	way->doubted = far && samples > 0 && !renew;
	return renew ? 0 : samples;
}

/*
 * What the kernel left behind is over, or does not end as it would by itself
 * (the faults go on), or the doubt was not deserved before: what is seen is
 * what there is.
 */
static bool is_settled(const struct learn_cell *cell, uint64_t now,
		       uint64_t faults)
{
	if (get_int(&cell->arm) == STATS_ARM_KERNEL ||
	    cell->runs < cell->sober_until)
		return true;
	if (get_int(&cell->stage) == TRY)
		return false;
	if (now - cell->returned >= 2 * TICK_NS)
		return true;
	return cell->runs - cell->returned_run >= PROBATION_RUNS &&
	       4 * faults >=
		       3 * get(&cell->ways[STATS_ARM_KERNEL].faults) + 1;
}

/* n syncs took so long, and caused so many faults. */
static void believe(struct learn_cell *cell, uint64_t n, uint64_t sync,
		    uint64_t faults, uint64_t gap)
{
	struct way *way = &cell->ways[get_int(&cell->arm)];
	const uint64_t weight = weight_of(way, sync);

	follow(&way->sync, sync, weight);
	follow(&way->faults, faults * 1000 / n, weight);
	follow(&way->gap, gap / n, weight);
	set(&way->samples, get(&way->samples) + n);
	learn_fault(cell);
}

/* The best that can be said of user space: nothing faults, nothing commits. */
static void believe_in_user(struct learn_cell *cell, uint64_t n, uint64_t gap)
{
	struct way *way = &cell->ways[STATS_ARM_USER];
	const uint64_t sync =
		excess(mean_sync(cell, n), get(&cell->commits) / n);

	if (get_int(&cell->stage) != TRY && sync >= get(&way->sync))
		return;
	way->hoped = true;
	believe(cell, n, sync, 0, gap);
	way->hoped = true;
}

/* The timed stretch is over. */
static void take_sample(struct learn_cell *cell, uint64_t now)
{
	const uint64_t own = get(&cell->timed), forced = get(&cell->forced);
	const uint64_t sum = get(&cell->sum) + get(&cell->forced_sum);
	const uint64_t gap = excess(now - get(&cell->began), sum);
	const uint64_t faults = source.faults() - get(&cell->faults);
	const uint64_t n = own + forced;

	if (own && get_int(&cell->arm) == STATS_ARM_USER)
		learn_line(cell, excess(get(&cell->sum), get(&cell->commits)) /
				 own);
	if (own && !is_settled(cell, now, faults * 1000 / n))
		believe_in_user(cell, own, gap * own / n);
	else if (n)
		believe(cell, n, (mean_sync(cell, own) * own +
				  get(&cell->forced_sum)) / n, faults, gap);
}

/*
 * Decisions
 */

static enum stats_arm cheapest(const struct learn_cell *cell)
{
	const enum stats_arm now = (enum stats_arm)get_int(&cell->chosen);
	const struct way *rival = &cell->ways[other(now)];
	const uint64_t mine = cost(&cell->ways[now]);

	return is_known(rival) && cost(rival) < mine - mine / MARGIN
	     ? other(now) : now;
}

static bool has_moved(const struct learn_cell *cell, uint64_t cost_now)
{
	const uint64_t then = cell->cost_at_try;

	return cost_now > then + then / 4 || cost_now < then - then / 4;
}

/* What the kernel's msync costs the persists after it. */
static uint64_t aftermath(const struct learn_cell *cell)
{
	const struct way *user = &cell->ways[STATS_ARM_USER];
	const uint64_t period = get(&user->sync) + get(&user->gap) + 1;
	const uint64_t pages = at_most(cell->len / PAGE * 1000,
		8 * get(&cell->ways[STATS_ARM_KERNEL].faults) + 1000);

	return at_most(TICK_NS / period + 1, COMMITS_MOST) * get(&commit_ns) +
	       pages * get(&fault_ns) / 1000;
}

/* How much more than the chosen way a try of the other one may cost. */
static uint64_t price_of_try(const struct learn_cell *cell, enum stats_arm arm,
			     uint64_t mine)
{
	const struct way *way = &cell->ways[arm];

	if (arm == STATS_ARM_KERNEL)
		return (TIMED_TRY + SETTLE_KERNEL) * excess(cost(way), mine) +
		       (cell->cleaned ? 0 : aftermath(cell));
	if (is_known(way))
		return (TIMED_TRY + SETTLE_USER) * excess(cost(way), mine);
	return (TIMED_TRY + SETTLE_USER) * excess(walk_guess(cell), mine) +
	       (cell->walk == LEARN_NO_WALK
		? 0 : cell->len / PAGE * TOUCH_NS);
}

static bool should_try(const struct learn_cell *cell)
{
	const enum stats_arm arm =
		other((enum stats_arm)get_int(&cell->chosen));
	const uint64_t mine = chosen_cost(cell);
	int64_t price = (int64_t)price_of_try(cell, arm, mine);
	int64_t purse = cell->purse;

	if (arm == STATS_ARM_USER && walk_least(cell) >= mine)
		return false;
	if (!is_known(&cell->ways[arm]))
		purse += (int64_t)(FIRST_TRY * mine);
	else if (has_moved(cell, mine))
		price /= 4;
	return price <= purse;
}

static void fill_purse(struct learn_cell *cell)
{
	const uint64_t mine = chosen_cost(cell);
	const int64_t most = (int64_t)(PURSE_MAX * mine);

	cell->purse += (int64_t)((cell->run + TIMED) * mine / SHARE);
	if (cell->purse > most)
		cell->purse = most;
}

/* What the try has cost more than the chosen way would have. */
static void pay(struct learn_cell *cell, bool cleaned)
{
	const enum stats_arm tried = (enum stats_arm)get_int(&cell->arm);
	const uint64_t calls = cell->settled + TIMED_TRY;
	const uint64_t faults = calls * get(&cell->ways[tried].faults) / 1000;
	const uint64_t paid = cell->spent + faults * get(&fault_ns);

	cell->purse -= (int64_t)excess(paid, calls * chosen_cost(cell));
	if (tried == STATS_ARM_KERNEL && !cleaned && cheapest(cell) != tried)
		cell->purse -= (int64_t)aftermath(cell);
	cell->spent = 0;
	cell->settled = 0;
}

/*
 * Stretches
 */

static void begin_stretch(struct learn_cell *cell, enum stage stage,
			  enum stats_arm arm, uint64_t calls)
{
	set_int(&cell->arm, (int)arm);
	set_int(&cell->stage, (int)stage);
	set(&cell->sum, 0);
	set(&cell->max, 0);
	set(&cell->timed, 0);
	set(&cell->commits, 0);
	set(&cell->forced_sum, 0);
	set(&cell->forced, 0);
	atomic_fetch_add_explicit(&cell->stretch, 1, memory_order_relaxed);
	atomic_store_explicit(&cell->left, (int64_t)calls,
			      memory_order_relaxed);
}

static void begin_timed(struct learn_cell *cell, enum stage stage,
			enum stats_arm arm, uint64_t now)
{
	set(&cell->faults, source.faults());
	set(&cell->began, now);
	begin_stretch(cell, stage, arm, stage == TRY && !cell->confirming
					? TIMED_TRY : TIMED);
}

static void begin_settle(struct learn_cell *cell, enum stats_arm arm,
			 uint64_t calls)
{
	cell->settled += calls;
	begin_stretch(cell, SETTLE, arm, calls);
}

/* A try of the way that is not chosen, or the first calls of one that is. */
static void begin_try(struct learn_cell *cell, enum stats_arm arm, uint64_t now)
{
	cell->cost_at_try = chosen_cost(cell);
	set(&cell->tries, get(&cell->tries) + 1);
	if (arm == STATS_ARM_KERNEL && cell->cleaned)
		begin_timed(cell, TRY, arm, now);
	else
		begin_settle(cell, arm, arm == STATS_ARM_USER
					? SETTLE_USER : SETTLE_KERNEL);
}

static void begin_run(struct learn_cell *cell, uint64_t now)
{
	const enum stats_arm chosen = (enum stats_arm)get_int(&cell->chosen);
	const bool cheap = chosen_cost(cell) < CHEAP_NS &&
			   (chosen == STATS_ARM_USER || cell->len <= CHEAP_LEN);

	if (get_int(&cell->arm) == STATS_ARM_KERNEL ||
	    get_int(&cell->stage) == TRY)
		cell->returned = now, cell->returned_run = cell->runs;
	cell->runs++;
	cell->run = cell->runs < 8 ? RUN_FIRST : cheap ? RUN_CHEAP : RUN;
	cell->cleaned = false;
	begin_stretch(cell, RUNNING, chosen, cell->run);
}

static void choose(struct learn_cell *cell, enum stats_arm best)
{
	if (best == STATS_ARM_KERNEL) {
		cell->sober_for = at_most(2 * cell->sober_for + SOBER_RUNS,
					  SOBER_RUNS_MAX);
		cell->sober_until = cell->runs + cell->sober_for;
	}
	set_int(&cell->chosen, (int)best);
	set(&cell->changes, get(&cell->changes) + 1);
	cell->cost_at_try = chosen_cost(cell);
}

/* What was timed is known now: go on with the cheapest, or try the other. */
static void decide(struct learn_cell *cell, uint64_t now)
{
	const enum stats_arm arm = (enum stats_arm)get_int(&cell->arm);
	const enum stats_arm chosen = (enum stats_arm)get_int(&cell->chosen);
	const enum stats_arm best = cheapest(cell);

	if (best == chosen && cell->ways[chosen].doubted && arm == chosen)
		begin_timed(cell, RUN_TIMED, chosen, now);
	else if (best == chosen && !is_known(&cell->ways[other(best)]) &&
		 should_try(cell))
		begin_try(cell, other(best), now);
	else if (best == chosen)
		begin_run(cell, now);
	else if (best == arm) {
		choose(cell, best);
		begin_run(cell, now);
	} else
		/* It may be long since that was true. */
		begin_try(cell, best, now);
}

static void end_try(struct learn_cell *cell, uint64_t now)
{
	const bool cleaned = cell->cleaned;
	const enum stats_arm arm = (enum stats_arm)get_int(&cell->arm);

	cell->spent += get(&cell->sum) + get(&cell->forced_sum);
	take_sample(cell, now);
	/* Two syncs may have been two lucky ones. */
	if (!cell->confirming && cheapest(cell) == arm &&
	    arm != (enum stats_arm)get_int(&cell->chosen)) {
		cell->confirming = true;
		begin_timed(cell, TRY, arm, now);
		return;
	}
	cell->confirming = false;
	pay(cell, cleaned);
	decide(cell, now);
}

/* After the very first call, which is the kernel's by the contract. */
static bool is_obvious(const struct learn_cell *cell)
{
	return !is_known(&cell->ways[STATS_ARM_KERNEL]) &&
	       get(&cell->sum) > OBVIOUS * walk_guess(cell);
}

static void end_settle(struct learn_cell *cell, uint64_t now)
{
	const enum stats_arm arm = (enum stats_arm)get_int(&cell->arm);

	cell->spent += get(&cell->sum) + get(&cell->forced_sum);
	if (arm == STATS_ARM_KERNEL && is_obvious(cell)) {
		struct way *kernel = &cell->ways[arm];

		set(&kernel->sync, get(&cell->sum));
		set(&kernel->samples, 1);
		cell->spent = 0;
		cell->settled = 0;
		begin_try(cell, STATS_ARM_USER, now);
		return;
	}
	begin_timed(cell, TRY, arm, now);
}

static void end_stretch(struct learn_cell *cell, uint64_t now)
{
	const enum stats_arm chosen = (enum stats_arm)get_int(&cell->chosen);

	switch ((enum stage)get_int(&cell->stage)) {
	case RUNNING:
		fill_purse(cell);
		if (is_known(&cell->ways[chosen]) && should_try(cell))
			begin_try(cell, other(chosen), now);
		else
			begin_timed(cell, RUN_TIMED, chosen, now);
		break;
	case SETTLE:
		end_settle(cell, now);
		break;
	case TRY:
		end_try(cell, now);
		break;
	case RUN_TIMED:
		take_sample(cell, now);
		decide(cell, now);
		break;
	}
}

static void report_cell(size_t rule, size_t number)
{
	const struct learn_cell *cell = &cells[rule][number];
	struct stats_file_belief belief = {
		.chosen = (uint64_t)get_int(&cell->chosen),
		.changes = get(&cell->changes), .tries = get(&cell->tries),
	};

	for (int arm = 0; arm < STATS_ARMS; arm++) {
		const struct way *way = &cell->ways[arm];

		if (!is_known(way))
			continue;
		belief.sync_ns[arm] = get(&way->sync);
		belief.faults[arm] = get(&way->faults);
		belief.cost_ns[arm] = cost(way);
		belief.samples[arm] = get(&way->samples);
	}
	if (reporter)
		reporter(rule, number, &belief);
}

/*
 * One thread turns; others go on meanwhile in the stretch that is over. One
 * that has left by siglongjmp is not waited for longer than a second.
 */
static bool claim(struct learn_cell *cell, uint64_t now)
{
	uint64_t since = get(&cell->turning);

	if (since && now - since < UINT64_C(1000000000))
		return false;
	return atomic_compare_exchange_strong_explicit(
		&cell->turning, &since, now | 1, memory_order_acquire,
		memory_order_relaxed);
}

/* A cell that is new may be like one beside it where user space is at work. */
static const struct way *neighbour(size_t rule, size_t number)
{
	const struct learn_cell *row = cells[rule];

	for (size_t i = number % 2; i < STATS_CELLS; i += 2)
		if ((i + 2 == number || i == number + 2) &&
		    get_int(&row[i].chosen) == STATS_ARM_USER)
			return &row[i].ways[STATS_ARM_KERNEL];
	return NULL;
}

static void begin_cell(struct learn_cell *cell, size_t rule, uint64_t now)
{
	const struct way *kernel =
		neighbour(rule, (size_t)(cell - cells[rule]));

	if (rule >= atomic_load_explicit(&rows, memory_order_relaxed))
		atomic_store_explicit(&rows, rule + 1, memory_order_relaxed);
	if (!kernel) {
		begin_settle(cell, STATS_ARM_KERNEL, SETTLE_KERNEL);
		return;
	}
	set(&cell->ways[STATS_ARM_KERNEL].sync, get(&kernel->sync));
	set(&cell->ways[STATS_ARM_KERNEL].faults, get(&kernel->faults));
	set(&cell->ways[STATS_ARM_KERNEL].samples, 1);
	begin_try(cell, STATS_ARM_USER, now);
}

static NOINLINE void turn(struct learn_cell *cell,
			  const struct learn_range *range)
{
	const uint64_t now = source.now();

	if (!claim(cell, now))
		return;
	cell->len = range->len;
	cell->walk = range->walk;
	guess_line(range->walk);
	if (get(&cell->stretch) == 0)
		begin_cell(cell, range->rule, now);
	else
		end_stretch(cell, now);
	report_cell(range->rule, (size_t)(cell - cells[range->rule]));
	atomic_store_explicit(&cell->turning, 0, memory_order_release);
}

/*
 * Calls
 */

static struct learn_cell *cell_of(const struct learn_range *range)
{
	return &cells[range->rule][learn_cell_number(range->len,
						     range->small)];
}

static int64_t calls_left(const struct learn_cell *cell)
{
	return atomic_load_explicit(&cell->left, memory_order_relaxed);
}

/* Two threads may take one off together: the stretch is one longer. */
static void take_off(struct learn_cell *cell)
{
	atomic_store_explicit(&cell->left, calls_left(cell) - 1,
			      memory_order_relaxed);
}

bool learn_goes_on(const struct learn_range *range)
{
	const struct learn_cell *cell = cell_of(range);

	return calls_left(cell) > 0 && get_int(&cell->stage) == RUNNING &&
	       get_int(&cell->arm) == STATS_ARM_USER;
}

void learn_went_on(const struct learn_range *range)
{
	take_off(cell_of(range));
	learn_paid(range->rule);
}

void learn_begin(struct learn_call *call, const struct learn_range *range)
{
	struct learn_cell *cell = cell_of(range);

	if (unlikely(calls_left(cell) <= 0))
		turn(cell, range);
	take_off(cell);
	call->cell = cell;
	call->arm = (enum stats_arm)get_int(&cell->arm);
	call->start = 0;
	call->commit = 0;
	if (get_int(&cell->stage) == RUNNING)
		return;
	call->stretch = get(&cell->stretch);
	call->start = source.now();
}

/* One that is the kernel's anyway is half a try of the kernel. */
static void note_forced(struct learn_cell *cell)
{
	if (get_int(&cell->stage) != RUNNING ||
	    get_int(&cell->arm) != STATS_ARM_USER)
		return;
	atomic_store_explicit(&cell->cleaned, true, memory_order_relaxed);
	atomic_store_explicit(&cell->left, 0, memory_order_relaxed);
}

uint64_t learn_now(void)
{
	return source.now();
}

void learn_end(const struct learn_call *call, bool by_kernel)
{
	struct learn_cell *cell = call->cell;
	const bool forced = by_kernel && call->arm == STATS_ARM_USER;
	uint64_t took;

	if (forced)
		note_forced(cell);
	if (!call->start || call->stretch != get(&cell->stretch))
		return;
	took = source.now() - call->start;
	add(forced ? &cell->forced_sum : &cell->sum, took);
	add(forced ? &cell->forced : &cell->timed, 1);
	if (forced)
		return;
	if (call->commit)
		step(&commit_ns, call->commit, COMMIT_NS_MIN, COMMIT_NS_MAX);
	add(&cell->commits, call->commit);
	if (took > get(&cell->max))
		set(&cell->max, took);
}

/*
 * Mappings
 */

/* Of a rule; what is long past counts for less and less. */
static struct account {
	_Atomic uint64_t made, paid, refused;
} accounts[CONFIG_RULES_MAX];

#define MADE_ENOUGH	8
#define MADE_MANY	64
#define REFUSED_RUN	16

bool learn_mapping_pays(size_t rule)
{
	struct account *account = &accounts[rule];
	const uint64_t made = get(&account->made);

	if (made < MADE_ENOUGH || get(&account->paid) >= made)
		return true;
	add(&account->refused, 1);
	return get(&account->refused) % REFUSED_RUN == 0;
}

void learn_mapped(size_t rule)
{
	struct account *account = &accounts[rule];

	add(&account->made, 1);
	if (get(&account->made) < MADE_MANY)
		return;
	set(&account->made, get(&account->made) / 2);
	set(&account->paid, get(&account->paid) / 2);
}

void learn_paid(size_t rule)
{
	_Atomic uint64_t *paid = &accounts[rule].paid;

	/* A locked addition would take longer than all the rest of a call. */
	set(paid, get(paid) + 1);
}

/*
 * Start and fork
 */

static uint64_t monotonic_now(void)
{
	return real_ns(CLOCK_MONOTONIC);
}

void learn_init(const struct learn_sources *sources, learn_report_fn report)
{
	static const struct learn_sources own = {
		.now = monotonic_now, .faults = sys_page_faults,
	};

	source = sources ? *sources : own;
	reporter = report;
}

/* The faults of a child are counted from 0. */
static void restart_cell(size_t rule, size_t number)
{
	struct learn_cell *cell = &cells[rule][number];

	if (get(&cell->stretch) == 0)
		return;
	set(&cell->turning, 0);
	cell->confirming = false;
	begin_run(cell, source.now());
	report_cell(rule, number);
}

void learn_after_fork(void)
{
	const size_t n = atomic_load_explicit(&rows, memory_order_relaxed);

	for (size_t rule = 0; rule < n; rule++)
		for (size_t i = 0; i < STATS_CELLS; i++)
			restart_cell(rule, i);
}
