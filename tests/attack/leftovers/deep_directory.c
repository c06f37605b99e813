/* attack: expect=exited:0|memory_limit memory=256M time=5s layer=fresh_files why=a box is unmounted, never deleted recursively */
#include "attack.h"

/* Ten thousand levels, unreadable, with a name that no path can hold: who cleans up by walking fails. */
int main(void)
{
	char name[201];

	memset(name, 'd', 200);
	name[200] = 0;
	name[0] = '-';
	name[1] = '\n';
	for (int level = 0; level < 10000; level++) {
		if (mkdir(name, 0700) < 0)
			break;
		if (chdir(name) < 0)
			broken("chdir");
	}
	chmod(".", 0);
	held();
}
