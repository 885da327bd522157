/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * race FILE ROUNDS: one thread maps FILE over the same range by MAP_FIXED, a
 * few times; the range is never free. Another maps and unmaps memory of the
 * same size. Should the range be free for a moment, the other thread is
 * given it, and its memory is then overwritten.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEN = 64 * 4096 };

static char *_Atomic range;
static atomic_bool done;
static atomic_ulong tries;
static unsigned long intrusions;

static void *intruder(void *unused)
{
	(void)unused;
	while (!atomic_load(&done)) {
		char *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			continue;
		atomic_fetch_add(&tries, 1);
		if (range && p < range + LEN && range < p + LEN)
			intrusions++;
		else
			munmap(p, LEN);
	}
	return NULL;
}

/* One process: one that was refused MAP_SYNC does not ask for it again. */
static int play(const char *name)
{
	pthread_t thread;
	int fd = open(name, O_RDWR | O_CREAT, 0644);

	if (fd < 0 || ftruncate(fd, LEN))
		return 2;
	/* The first memory of this size: when free, the first to be given. */
	range = mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pthread_create(&thread, NULL, intruder, NULL))
		return 2;
	while (atomic_load(&tries) < 20)
		;
	for (int i = 0; i < 5; i++)
		if (mmap(range, LEN, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) != range)
			return 2;
	atomic_store(&done, 1);
	pthread_join(thread, NULL);
	return intrusions > 0;
}

int main(int argc, char **argv)
{
	int intruded = 0;

	if (argc != 3)
		return 2;
	for (int i = atoi(argv[2]); i > 0; i--) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(play(argv[1]));
		if (waitpid(child, &status, 0) != child ||
		    !WIFEXITED(status) || WEXITSTATUS(status) > 1) {
			puts("that was no race");
			return 2;
		}
		intruded += WEXITSTATUS(status);
	}
	printf("intruded in %d of %s\n", intruded, argv[2]);
	return intruded > 0;
}
