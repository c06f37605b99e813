/* attack: expect=exited:0 layer=proc+landlock why=/proc is read-only: memory that may not be written is not written through a file either */
#include "attack.h"
#include <sys/mman.h>

/* Writing through /proc/self/mem ignores the protection of a page: the way of more than one kernel bug into files of others. */
int main(void)
{
	static const char *const names[] = {"/proc/self/mem", "/proc/thread-self/mem",
					    "/proc/self/task/%d/mem", "/proc/1/mem"};
	int file = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	unsigned char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);

	if (file < 0 || page == MAP_FAILED)
		broken("/bin/sh");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];
		int fd;

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof(path), names[i], getpid());
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && pwrite(fd, "gavel", 5, (off_t)page) == 5)
			escaped("wrote to a read-only page through %s", path);
		if (fd >= 0)
			escaped("opened %s for writing", path);
	}
	if (memcmp(page,
		   "\x7f"
		   "ELF",
		   4))
		escaped("/bin/sh has changed");
	held();
}
