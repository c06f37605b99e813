/* attack: expect=exited:0 layer=root,utsns why=a made /etc: two users, two groups */
#include "attack.h"

/* Neither the names of the host's users nor its name are there to be read. */
int main(void)
{
	static const char *const files[] = {"/etc/passwd", "/etc/group"};
	char name[256] = "";

	for (int i = 0; i < 2; i++) {
		char line[512];
		int lines = 0;
		FILE *f = fopen(files[i], "re");

		while (f && fgets(line, sizeof(line), f))
			if (strncmp(line, "root:", 5) && strncmp(line, "sandbox:", 8))
				escaped("%s has %.40s", files[i], line);
			else
				lines++;
		if (lines != 2)
			broken(files[i]);
		fclose(f);
	}
	if (gethostname(name, sizeof(name) - 1) < 0)
		broken("gethostname");
	if (!strcmp(name, given("HOST_NAME")))
		escaped("the host is %s", name);
	held();
}
