/* attack: expect=exited:0|sandbox_error copyout=out memory=128M time=3s layer=copy_out why=a tree is walked to a bounded depth, by descriptors */
#include "attack.h"

/* Deeper than a path can say, and than a walker has descriptors; a file at the end of it. */
int main(void)
{
	if (mkdir("out", 0777) < 0 || chdir("out") < 0)
		broken("out");
	for (int level = 0; level < 3000; level++)
		if (mkdir("deeper-and-deeper", 0777) < 0 || chdir("deeper-and-deeper") < 0)
			break;
	close(open("bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	held();
}
