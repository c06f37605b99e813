/* attack: expect=exited:0|sandbox_error copyout=out processes=8 layer=copy_out+kill why=files are taken when nobody lives who could change them, and never by a name that leads elsewhere */
#include "attack.h"
#include <linux/fs.h>

/* A daemon makes `out` a file and a link to the host's secret by turns, as fast as it can. */
int main(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		broken("pipe");
	close(open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	if (symlink(given("CANARY"), "link") < 0)
		broken("symlink");
	if (fork() == 0) {
		setsid();
		bounded(5);
		for (long turn = 0;; turn++) {
			if (renameat2(AT_FDCWD, "out", AT_FDCWD, "link", RENAME_EXCHANGE) < 0)
				_exit(1);
			if (turn == 100 && write(ready[1], "", 1) != 1)
				_exit(1);
		}
	}
	if (read(ready[0], &byte, 1) != 1)
		broken("the daemon does not turn");
	held();
}
