/* attack: expect=exited:0|sandbox_error copyout=out layer=copy_out why=what is not a file is not opened to wait for it */
#include "attack.h"

int main(void)
{
	if (mkfifo("out", 0666) < 0)
		broken("mkfifo");
	held();
}
