/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions through callbacks of libc while mapped memory is sorted and
 * searched, and the forced unwinding of a cancelled thread out of msync.
 */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

static const size_t LEN = 65536;
static unsigned char *p;
static int calls;

struct Said {
	const char *what;
	~Said() { dprintf(1, "left %s\n", what); }
};

extern "C" int compare(const void *a, const void *b)
{
	Said said{"compare"};

	if (++calls == 20)
		throw std::runtime_error("tired of comparing");
	return memcmp(a, b, 256);
}

static void throw_through(void (*call)())
{
	calls = 0;
	try {
		Said said{"the caller"};
		call();
		dprintf(1, "no exception\n");
	} catch (const std::exception &e) {
		dprintf(1, "caught: %s\n", e.what());
	}
	errno = 77;
	dprintf(1, "msync %d errno %d\n", msync(p, LEN, MS_SYNC), errno);
}

static void sort() { qsort(p, LEN / 256, 256, compare); }

static void search()
{
	calls = 19;
	bsearch(p, p, LEN / 256, 256, compare);
}

static void append()
{
	std::vector<char> v(5000, 'v');
	std::string s(70000, 's');

	memmove(p + 100, v.data(), v.size());
	memcpy(p + 8192, s.data(), 40000);
	v.at(5000) = 0;
}

extern "C" void *cancelled(void *)
{
	Said said{"the thread"};

	pthread_cancel(pthread_self());
	try {
		Said inner{"the try"};
		msync(p, LEN, MS_SYNC);
		dprintf(1, "not cancelled\n");
	} catch (...) {
		dprintf(1, "passing on\n");
		throw;
	}
	return nullptr;
}

int main()
{
	std::string name = std::string(getenv("T_FILES")) + "/data";
	int fd = open(name.c_str(), O_RDWR | O_CREAT, 0600);
	std::vector<char> zeros(LEN, 1);
	pthread_t thread;
	void *result;

	if (write(fd, zeros.data(), LEN) != ssize_t(LEN))
		return 9;
	p = static_cast<unsigned char *>(mmap(nullptr, LEN, PROT_READ | PROT_WRITE,
					      MAP_SHARED, fd, 0));
	for (size_t i = 0; i < LEN; i++)
		p[i] = (unsigned char)(LEN - i / 256);
	usleep(30000);
	msync(p, LEN, MS_SYNC);
	throw_through(sort);
	throw_through(search);
	throw_through(append);
	pthread_create(&thread, nullptr, cancelled, nullptr);
	pthread_join(thread, &result);
	dprintf(1, "cancelled %d\n", result == PTHREAD_CANCELED);
	for (size_t i = 0; i < LEN; i += 4096)
		dprintf(1, "%d ", p[i]);
	dprintf(1, "\n");
	return 0;
}
