/* attack: expect=cpu_time_limit|wall_time_limit|memory_limit processes=32 memory=256M layer=pids why=pids limit, then the deadline kills all of them at once */
#include "attack.h"
#include <sys/mman.h>

/* Every process forks, and goes on when it cannot; so killing one after another never ends it. */
int main(void)
{
	int *born = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (born == MAP_FAILED)
		broken("mmap");
	bounded(15);
	signal(SIGCHLD, SIG_IGN);
	while (__atomic_load_n(born, __ATOMIC_RELAXED) < 20000) {
		pid_t pid = fork();

		if (pid == 0) {
			bounded(15);
			__atomic_add_fetch(born, 1, __ATOMIC_RELAXED);
		}
	}
	escaped("20000 forks");
}
