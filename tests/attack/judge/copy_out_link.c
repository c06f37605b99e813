/* attack: expect=exited:0|sandbox_error copyout=out layer=copy_out+root why=files come out by descriptor, never through a link */
#include "attack.h"

/* The file that the judge is going to take is a link to one that only the judge may read. */
int main(void)
{
	if (symlink(given("CANARY"), "out") < 0)
		broken("symlink");
	held();
}
