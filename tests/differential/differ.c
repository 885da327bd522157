/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * differ: the kernel as the oracle. See --help.
 *
 * Design: two worlds, one with the library preloaded and one without, execute
 * the same batches at the same time, each on its own files; this program, which
 * has no shim, makes the batches, compares what they left in shared memory
 * step by step, and takes operations away from a batch that differed until each
 * of those left is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/differential/world.h"

#define SHARED_FD	9
/* Shrinking ends with what it has after this many runs. */
#define SHRINK_RUNS	4000

static const char usage_text[] =
"usage: differ --library FILE --directory DIR [OPTION...]\n"
"\n"
"Runs random sequences of mapping calls, copies and syncs in two processes,\n"
"with the library preloaded and without, and compares results, errno, signals,\n"
"memory, files, and the library's registry with /proc/self/maps. The library is\n"
"a test build that exports what probe.h declares. Exits 0 when all agreed, else\n"
"1, after printing the shortest sequence found that still differs.\n"
"\n"
"  --steps N        operations in all (100000)\n"
"  --batch N        operations for one pair of processes (2000, at most 4096)\n"
"  --seed N         (the time)\n"
"  --keys TEXT      keys of the library's rule (refresh=0,copy_min=256)\n"
"  --look N         compare the registry every N steps, beside all those that\n"
"                   change mappings (8); 1: after every step\n"
"  --read N         compare memory and files every N steps (32)\n"
"  --dax            the directory is on real DAX: no assume_pmem, no flags that\n"
"                   only MAP_SHARED_VALIDATE refuses\n"
"  --patience N     seconds after which a batch that does not end hangs (120)\n"
"  --no-shrink      leave a sequence that differs as long as it is\n"
"  --save FILE      where that sequence goes (stdout)\n"
"  --replay FILE    run that, and print what each operation gave\n";

static struct options {
	const char *library, *directory, *keys, *save, *replay;
	uint64_t steps, seed;
	uint32_t batch, look, read;
	int patience;
	bool dax, shrink;
} options = {
	.keys = "refresh=0,copy_min=256", .steps = 100000, .batch = 2000,
	.look = 8, .read = 32, .patience = 120, .shrink = true,
};

static struct shared *shared;
static struct { pid_t pid; int to, from; } worlds[WORLDS];
static const char *const world_names[WORLDS] = { "bare", "shim" };

static void die(const char *what)
{
	fprintf(stderr, "differ: %s: %s\n", what, strerror(errno));
	exit(2);
}

/*
 * Worlds
 */

static char *path_in(int which, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s%s", options.directory, world_names[which],
		     name) < 0)
		die("memory");
	return path;
}

static void set_environment(int which)
{
	char *rule, *files = path_in(which, ".files");

	unsetenv("LD_PRELOAD");
	if (which == BARE)
		return;
	if (asprintf(&rule, "%s%s%s%s", files,
		     options.dax ? "" : ",assume_pmem=yes",
		     *options.keys ? "," : "", options.keys) < 0)
		die("memory");
	setenv("PMEMSHIM_PATHS", rule, 1);
	setenv("PMEMSHIM_STATS", path_in(which, ".stats"), 1);
	setenv("PMEMSHIM_LOG", "error", 1);
	setenv("LD_PRELOAD", options.library, 1);
}

static void start(int which)
{
	int to[2], from[2];
	char number[4] = { (char)('0' + which), '\0' };

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		die("pipe");
	worlds[which].pid = fork();
	if (worlds[which].pid < 0)
		die("fork");
	if (worlds[which].pid == 0) {
		setpgid(0, 0);
		dup2(to[0], 0);
		dup2(from[1], 1);
		set_environment(which);
		personality(ADDR_NO_RANDOMIZE);
		execl("/proc/self/exe", "differ", "--world", number,
		      path_in(which, ".files"), path_in(which, ".outside"),
		      (char *)NULL);
		_exit(127);
	}
	setpgid(worlds[which].pid, worlds[which].pid);
	close(to[0]);
	close(from[1]);
	worlds[which].to = to[1];
	worlds[which].from = from[0];
}

static void stop(int which)
{
	if (worlds[which].pid <= 0)
		return;
	kill(-worlds[which].pid, SIGKILL);
	waitpid(worlds[which].pid, NULL, 0);
	close(worlds[which].to);
	close(worlds[which].from);
	worlds[which].pid = 0;
}

static void stop_all(void)
{
	for (int i = 0; i < WORLDS; i++)
		stop(i);
}

/* False when the world did not end the batch in time. */
static bool ended(int which)
{
	struct pollfd poll_fd = { .fd = worlds[which].from, .events = POLLIN };
	char byte;

	return poll(&poll_fd, 1, options.patience * 1000) == 1 &&
	       read(worlds[which].from, &byte, 1) == 1;
}

/*
 * One batch
 */

struct difference {
	uint32_t step;
	char what[300];
};

static bool differs(struct difference *d, uint32_t step, const char *what)
{
	d->step = step;
	snprintf(d->what, sizeof(d->what), "%s", what);
	return true;
}

static const char *compare_results(const struct result *a,
				   const struct result *b)
{
	if (a->signal != b->signal || a->fault != b->fault)
		return "another signal";
	if (a->value != b->value)
		return "another result";
	if (a->error != b->error)
		return "another errno";
	if (a->maps != b->maps)
		return "other mappings";
	if (a->memory != b->memory)
		return "other memory";
	if (a->files != b->files)
		return "other files";
	return NULL;
}

static bool compare(struct difference *d)
{
	const struct world *a = &shared->worlds[BARE];
	const struct world *b = &shared->worlds[SHIMMED];
	uint32_t nops = shared->batch.nops;

	if (b->complained)
		return differs(d, b->complaint_step, b->complaint);
	for (uint32_t i = 0; i < nops; i++) {
		const char *what = compare_results(&a->results[i],
						   &b->results[i]);

		if (what)
			return differs(d, i, what);
	}
	for (int i = 0; i < PROCESSES; i++) {
		const char *what = compare_results(&a->results[OPS_MAX + i],
						   &b->results[OPS_MAX + i]);

		if (what)
			return differs(d, nops, what);
		if (a->status[i] || b->status[i])
			return differs(d, b->turn, a->status[i]
				       ? "a process of the bare world died"
				       : "a process died");
	}
	return false;
}

static void clear(struct world *world)
{
	world->turn = 0;
	world->ready = 0;
	world->complained = 0;
	memset(world->status, 0, sizeof(world->status));
	memset(world->results, 0, sizeof(world->results));
}

/* Run shared->batch in both worlds. True when they differ. */
static bool run(struct difference *d)
{
	char byte = 'r';
	bool in_time = true;

	shared->batch.look_every = options.look;
	shared->batch.read_every = options.read;
	for (int i = 0; i < WORLDS; i++) {
		clear(&shared->worlds[i]);
		if (worlds[i].pid == 0)
			start(i);
		if (write(worlds[i].to, &byte, 1) != 1)
			die("a world is gone");
	}
	for (int i = 0; i < WORLDS; i++) {
		if (ended(i))
			continue;
		in_time = false;
		differs(d, shared->worlds[i].turn,
			i == BARE ? "the bare world hangs or died"
				  : "it hangs or died");
	}
	if (in_time)
		return compare(d);
	stop_all();
	return true;
}

/*
 * Shrinking
 */

static void take_out(struct batch *batch, uint32_t first, uint32_t n)
{
	memmove(&batch->ops[first], &batch->ops[first + n],
		(batch->nops - first - n) * sizeof(batch->ops[0]));
	batch->nops -= n;
}

/* The shortest batch found that differs; *d says how. */
static void shrink(struct batch *best, struct difference *d)
{
	int runs = 0;
	uint32_t n;

	for (n = best->nops / 2; n > 0; n = n == 1 ? 0 : n / 2) {
		bool again = true;

		while (again) {
			again = false;
			for (uint32_t i = 0; i + n <= best->nops;) {
				if (runs++ == SHRINK_RUNS)
					return;
				shared->batch = *best;
				take_out(&shared->batch, i, n);
				if (run(d)) {
					*best = shared->batch;
					again = n == 1;
				} else {
					i += n;
				}
			}
		}
	}
}

static void show_results(uint32_t step)
{
	if (step >= shared->batch.nops)
		return;
	for (int i = 0; i < WORLDS; i++) {
		const struct result *r = &shared->worlds[i].results[step];

		fprintf(stderr, "  %s: result %lld errno %d signal %d at %llu, maps %llx memory %llx files %llx\n",
			world_names[i], (long long)r->value, r->error,
			r->signal, (unsigned long long)r->fault,
			(unsigned long long)r->maps,
			(unsigned long long)r->memory,
			(unsigned long long)r->files);
	}
}

static void save(const struct batch *batch, const struct difference *d)
{
	FILE *out = options.save ? fopen(options.save, "w") : stdout;

	if (!out)
		die(options.save);
	batch_print(out, batch);
	fprintf(out, "# step %u: %s\n", d->step, d->what);
	if (out != stdout)
		fclose(out);
	fflush(stdout);
}

static void report(struct difference *d, uint64_t seed)
{
	struct batch *best = malloc(sizeof(*best));

	if (!best)
		die("memory");
	*best = shared->batch;
	if (d->step < best->nops)
		best->nops = d->step + 1;
	fprintf(stderr, "differ: batch seed %#llx, step %u of %u: %s\n",
		(unsigned long long)seed, d->step, shared->batch.nops, d->what);
	show_results(d->step);
	if (options.shrink) {
		options.look = options.read = 1;
		shrink(best, d);
		shared->batch = *best;
		if (!run(d))
			fprintf(stderr, "differ: it does not always differ\n");
		else
			fprintf(stderr, "differ: %u operations left, step %u: %s\n",
				best->nops, d->step, d->what);
		show_results(d->step);
	}
	save(best, d);
	free(best);
}

/*
 * All of it
 */

/* How the operations ended in the bare world, by kind. */
static struct { uint64_t good, failed, skipped, signals; } ends[OP_KINDS];

static void count_ends(void)
{
	for (uint32_t i = 0; i < shared->batch.nops; i++) {
		int kind = shared->batch.ops[i].kind;
		const struct result *r = &shared->worlds[BARE].results[i];

		if (r->signal || r->value == -2)
			ends[kind].signals++;
		else if (r->value == SKIPPED)
			ends[kind].skipped++;
		else if (r->value == -1)
			ends[kind].failed++;
		else
			ends[kind].good++;
	}
}

static void say_ends(void)
{
	for (int i = 0; i < OP_KINDS; i++)
		printf("%-17s %8llu done %8llu failed %8llu faulted %8llu left out\n",
		       op_names[i], (unsigned long long)ends[i].good,
		       (unsigned long long)ends[i].failed,
		       (unsigned long long)ends[i].signals,
		       (unsigned long long)ends[i].skipped);
}

static void say_sums(uint64_t done)
{
	const struct world *world = &shared->worlds[SHIMMED];

	printf("differ: %llu steps agreed, seed %llu; %llu msyncs persisted, %llu copies; registry compared %llu times, %llu of %llu shared pages tracked\n",
	       (unsigned long long)done, (unsigned long long)options.seed,
	       (unsigned long long)world->persisted,
	       (unsigned long long)world->copies,
	       (unsigned long long)world->looks,
	       (unsigned long long)world->tracked_pages,
	       (unsigned long long)world->shared_pages);
}

static int run_all(void)
{
	struct difference d;
	uint64_t done = 0;

	for (uint64_t i = 0; done < options.steps; i++) {
		uint64_t seed = options.seed * 1000003 + i;

		batch_generate(&shared->batch, seed, options.batch,
			       !options.dax);
		if (run(&d)) {
			report(&d, seed);
			return 1;
		}
		done += options.batch;
		count_ends();
	}
	say_ends();
	say_sums(done);
	return 0;
}

static int replay(void)
{
	FILE *in = fopen(options.replay, "r");
	struct difference d;
	bool different;

	if (!in)
		die(options.replay);
	if (!batch_parse(in, &shared->batch))
		return 2;
	fclose(in);
	options.look = options.read = 1;
	different = run(&d);
	for (uint32_t i = 0; i < shared->batch.nops; i++) {
		fprintf(stderr, "%u: ", i);
		op_print(stderr, &shared->batch.ops[i]);
		fputc('\n', stderr);
		show_results(i);
	}
	printf("differ: %s\n", different ? d.what : "no difference");
	return different;
}

static void make_directories(void)
{
	for (int i = 0; i < WORLDS; i++) {
		mkdir(path_in(i, ".files"), 0700);
		mkdir(path_in(i, ".outside"), 0700);
	}
}

static void share(void)
{
	int fd = memfd_create("differ", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		die("memfd");
	if (fd != SHARED_FD) {
		dup2(fd, SHARED_FD);
		close(fd);
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED, SHARED_FD, 0);
	if (shared == MAP_FAILED)
		die("mmap");
}

static int be_world(char **argv)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED, SHARED_FD, 0);
	if (shared == MAP_FAILED)
		return 2;
	close(SHARED_FD);
	return world_main(shared, atoi(argv[2]), argv[3], argv[4]);
}

static void read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "library", 1, NULL, 'l' }, { "directory", 1, NULL, 'd' },
		{ "steps", 1, NULL, 's' }, { "batch", 1, NULL, 'b' },
		{ "seed", 1, NULL, 'S' }, { "keys", 1, NULL, 'k' },
		{ "look", 1, NULL, 'L' }, { "read", 1, NULL, 'R' },
		{ "dax", 0, NULL, 'D' }, { "patience", 1, NULL, 'p' },
		{ "no-shrink", 0, NULL, 'n' },
		{ "save", 1, NULL, 'o' }, { "replay", 1, NULL, 'r' },
		{ "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int c;

	options.seed = (uint64_t)time(NULL);
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'l': options.library = optarg; break;
		case 'd': options.directory = optarg; break;
		case 's': options.steps = strtoull(optarg, NULL, 0); break;
		case 'b': options.batch = (uint32_t)atoi(optarg); break;
		case 'S': options.seed = strtoull(optarg, NULL, 0); break;
		case 'k': options.keys = optarg; break;
		case 'L': options.look = (uint32_t)atoi(optarg); break;
		case 'R': options.read = (uint32_t)atoi(optarg); break;
		case 'D': options.dax = true; break;
		case 'p': options.patience = atoi(optarg); break;
		case 'n': options.shrink = false; break;
		case 'o': options.save = optarg; break;
		case 'r': options.replay = optarg; break;
		case 'h': fputs(usage_text, stdout); exit(0);
		default: fputs(usage_text, stderr); exit(2);
		}
	}
	if (!options.library || !options.directory || options.batch == 0 ||
	    options.batch > OPS_MAX) {
		fputs(usage_text, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	int status;

	if (argc == 5 && strcmp(argv[1], "--world") == 0)
		return be_world(argv);
	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	share();
	make_directories();
	status = options.replay ? replay() : run_all();
	stop_all();
	return status;
}
