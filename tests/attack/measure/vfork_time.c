/* attack: expect=cpu_time_limit processes=8 layer=cpu_count why=CPU time of the cgroup: a parent suspended in vfork uses nothing, its child does */
#include "attack.h"

/* Each child has the memory of its parent, which stands still until the child is gone. */
int main(void)
{
	bounded(30);
	for (;;) {
		volatile unsigned long spin = 0;

		if (vfork() == 0) {
			while (++spin < 100000000)
				;
			_exit(0);
		}
	}
}
