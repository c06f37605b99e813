/* attack: expect=exited:0|sandbox_error copyout=sub/out layer=copy_out+root why=files come out by descriptor, never through a link */
#include "attack.h"

/* Not the file is a link but the folder on the way to it. */
int main(void)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s", given("CANARY"));
	*strrchr(folder, '/') = 0;
	if (symlink(folder, "sub") < 0)
		broken("symlink");
	held();
}
