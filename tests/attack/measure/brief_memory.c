/* attack: expect=exited:0 memory=64M processes=8 peak=40M layer=memory why=the peak is the kernel's, of all processes: memory that was there for a moment, in a child, is in the report */
#include "attack.h"

/* The parent never has more than it began with; the child has most of what is allowed, for a millisecond. */
int main(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		take_memory(48 << 20);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		broken("fork");
	held();
}
