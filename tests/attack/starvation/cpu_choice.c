/* attack: expect=exited:0 layer=seccomp why=policy: the jail chooses processors and priorities of input and output */
#include "attack.h"
#include <sched.h>

/* All neighbours' threads pushed away from one processor, or all own ones onto theirs. */
int main(void)
{
	unsigned long nodes = 1;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one) == 0)
		escaped("chose its processor");
	if (syscall(SYS_ioprio_set, 1, 0, 1 << 13) == 0 ||
	    syscall(SYS_ioprio_set, 1, 0, 2 << 13) == 0)
		escaped("chose its priority of input and output");
	if (syscall(SYS_set_mempolicy, 2, &nodes, 8) == 0)
		escaped("chose where its memory is");
	if (syscall(SYS_migrate_pages, 0, 8, &nodes, &nodes) >= 0)
		escaped("moved memory between nodes");
	held();
}
