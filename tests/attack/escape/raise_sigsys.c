/* attack: expect=signaled:31 layer=seccomp why=only the filter's own notice is a forbidden call */
#include "attack.h"

/* Looks like a forbidden call from outside, and is an ordinary crash. */
int main(void)
{
	raise(SIGSYS);
	held();
}
