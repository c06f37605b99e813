/* attack: expect=forbidden_syscall:mount layer=report why=no text of the program is in its report: not its name, not its arguments */
#include "attack.h"
#include <sys/mount.h>
#include <sys/prctl.h>

/* Calls itself something that ends a string, and is then reported for a forbidden call. */
int main(int argc, char **argv)
{
	if (argc < 2) {
		execl("/proc/self/exe", "\", \"status\": \"exited\n\xff\x1b[2J", "again", NULL);
		broken("exec");
	}
	prctl(PR_SET_NAME, "\",\"x\":\"\n\xff\x1b");
	memset(argv[0], '"', strlen(argv[0]));
	mount("\",\"", "\n", "\xff", 0, NULL);
	escaped("mount came back");
}
