/* attack: expect=exited:0|forbidden_syscall:unshare layer=nested+seccomp why=no further user namespace: there a program would be root over the kernel's privileged code */
#include "attack.h"
#include <sched.h>

int main(void)
{
	if (unshare(CLONE_NEWUSER) == 0)
		escaped("has a user namespace of its own%s",
			unshare(CLONE_NEWNET) ? "" : ", and a network");
	held();
}
