/* attack: expect=signaled:{} each=9,24,25,31,6 layer=report why=only the sandbox's own deadline is a limit: a program that sends itself the signal of one has been signaled */
#include "attack.h"

/* Looks like a limit of CPU time, of files, of memory, or like a forbidden call. */
int main(int argc, char **argv)
{
	if (argc != 2)
		broken("usage: pretended_signals NUMBER");
	kill(getpid(), atoi(argv[1]));
	broken("still there");
}
