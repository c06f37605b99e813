/* attack: expect=exited:0 policy=native time=5s layer=userns+ids why=mincore tells only owners and writers of a file what of it is in memory: what a neighbour has run */
#include "attack.h"
#include <ftw.h>
#include <sys/mman.h>

/* Among the system's files many have never been read whole; one page said to be missing is an answer. */
static int files;

static int ask(const char *path, const struct stat *st, int type)
{
	static unsigned char resident[1 << 16];
	size_t pages = ((size_t)st->st_size + 4095) / 4096;
	int fd;
	void *p;

	if (type != FTW_F || !S_ISREG(st->st_mode) || pages < 16 || pages > sizeof(resident))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	p = fd < 0 ? MAP_FAILED : mmap(NULL, pages * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return 0;
	if (mincore(p, pages * 4096, resident) < 0)
		held();
	for (size_t i = 0; i < pages; i++)
		if (!(resident[i] & 1))
			escaped("page %zu of %s is not in memory", i, path);
	munmap(p, pages * 4096);
	return ++files > 500;
}

int main(void)
{
	ftw("/usr/lib", ask, 20);
	ftw("/usr/share", ask, 20);
	if (files < 10)
		broken("files");
	held();
}
