/* SPDX-License-Identifier: BSD-3-Clause */
/* What daemons do to themselves, by argv[1], with a mapping before and one after. */
#include "t_preload.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>

static int fd;
static char *p;

static void limit(int resource, rlim_t soft)
{
	struct rlimit limit;

	getrlimit(resource, &limit);
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	SAY(setrlimit(resource, &limit));
}

static size_t address_space(void)
{
	char text[64] = "";
	int statm = open("/proc/self/statm", O_RDONLY);

	T_REQUIRE(read(statm, text, 63) > 0);
	close(statm);
	return strtoul(text, NULL, 10) * T_PAGE;
}

static void without_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	SAY(setgroups(0, NULL));
	SAY(setresgid(65534, 65534, 65534));
	SAY(setresuid(65534, 65534, 65534));
	SAY(syscall(SYS_capset, &header, none));
	SAY(prctl(PR_GET_DUMPABLE));
}

static void become(const char *how)
{
	if (!strcmp(how, "chroot")) {
		SAY(chroot(getenv("T_OUTSIDE")));
		SAY(chdir("/"));
	} else if (!strcmp(how, "rights")) {
		without_rights();
	} else if (!strcmp(how, "closefrom")) {
		dup2(fd, 20);
		closefrom(21);
		fd = 20;
	} else if (!strcmp(how, "everything")) {
		/* the two that the verdict needs stay */
		close_range(0, 0, 0);
		close_range(2, ~0u, 0);
		fd = -1;
	} else if (!strcmp(how, "exhausted")) {
		limit(RLIMIT_NOFILE, (rlim_t)fd + 1);
	} else if (!strcmp(how, "narrow")) {
		limit(RLIMIT_AS, address_space() + 64 * T_PAGE);
	} else if (!strcmp(how, "wide")) {
		limit(RLIMIT_AS, address_space() + 64 * T_PAGE);
		limit(RLIMIT_AS, RLIM_INFINITY);
	} else if (!strcmp(how, "session")) {
		T_REQUIRE(setsid() == -1 || 1);
		umask(0);
		SAY(chdir("/"));
		close(0);
		T_REQUIRE(open("/dev/null", O_RDWR) == 0);
		dup2(0, 2);
	}
}

int main(int argc, char **argv)
{
	char *q;

	fd = t_open("data", 16 * T_PAGE);
	p = t_map_synced(fd, 8 * T_PAGE);
	memset(p, 1, 8 * T_PAGE);
	SAY(msync(p, 8 * T_PAGE, MS_SYNC));
	become(argv[argc - 1]);
	memset(p, 2, 8 * T_PAGE);
	SAY(msync(p, 8 * T_PAGE, MS_SYNC));
	SAY_MAP(q, mmap(NULL, 8 * T_PAGE, T_RW, MAP_SHARED, fd, 8 * (off_t)T_PAGE));
	if (q != MAP_FAILED) {
		memset(q, 3, 8 * T_PAGE);
		SAY(msync(q, 8 * T_PAGE, MS_SYNC));
		SAY(msync(q, 8 * T_PAGE, MS_SYNC));
		SAY(q[5]);
	}
	SAY(open("/dev/null", O_RDONLY));
	SAY(munmap(p, 8 * T_PAGE));
	SAY(msync(p, 8 * T_PAGE, MS_SYNC));
	/* one for the statistics */
	limit(RLIMIT_NOFILE, 1024);
	return 3;
}
