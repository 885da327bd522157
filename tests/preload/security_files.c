/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptor 2 becomes a file of this program's; then there is something to say. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", T_PAGE), other;
	char text[8] = "";

	close(2);
	other = t_open_outside("mine", 0);
	T_REQUIRE(other == 2 && write(2, "mine\n", 5) == 5);
	T_REQUIRE(mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0) != MAP_FAILED);
	T_REQUIRE(pread(2, text, sizeof(text), 0) == 5);
	printf("%s", text);
	return 0;
}
