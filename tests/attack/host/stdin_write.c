/* attack: expect=exited:0 stdin=writable layer=stdio why=inputs are sealed memory files, never the host's file */
#include "attack.h"

/* The input is a file that everybody may write, on the host. */
int main(void)
{
	char text[64] = "";

	if (read(0, text, sizeof(text) - 1) <= 0 || strncmp(text, "input of the attack", 19))
		broken("stdin");
	if (write(0, "x", 1) == 1 || pwrite(0, "x", 1, 0) == 1)
		escaped("wrote to stdin");
	if (ftruncate(0, 0) == 0 || truncate("/proc/self/fd/0", 0) == 0)
		escaped("emptied stdin");
	if (open("/proc/self/fd/0", O_RDWR | O_CLOEXEC) >= 0 ||
	    open("/dev/stdin", O_WRONLY | O_APPEND | O_CLOEXEC) >= 0)
		escaped("opened stdin for writing");
	if (fchmod(0, 0777) == 0)
		escaped("changed the mode of stdin");
	if (lseek(0, 0, SEEK_SET) == 0 && read(0, text, 1) == 1 && text[0] != 'i')
		escaped("stdin changed");
	held();
}
