/* attack: expect=exited:0|memory_limit|cpu_time_limit|forbidden_syscall policy=compiler memory=32M time=2s layer=memory why=memory limit counts the page cache of files that the program was first to read */
#include "attack.h"
#include <ftw.h>
#include <sys/mman.h>

/* Reads system files until 256 MB have gone by: what was cold is now in memory, and pushes out what others use. */
static long seen;

static int read_all(const char *path, const struct stat *st, int type)
{
	static char block[1 << 16];
	int fd = type == FTW_F && S_ISREG(st->st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0)
		seen += n;
	if (fd >= 0)
		close(fd);
	return seen > 256L << 20;
}

int main(void)
{
	ftw("/usr/share", read_all, 20);
	ftw("/usr/lib", read_all, 20);
	if (seen < 1 << 20)
		broken("nothing to read");
	held();
}
