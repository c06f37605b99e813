/* attack: expect=exited:0 layer=private,mountns why=mounts are private: neither the host's come into the cell nor the cell's out */
#include "attack.h"

/* A mount that is tied to others says so: proc(5), "shared:N" and "master:N". What came out, host.py sees. */
int main(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " shared:") || strstr(line, " master:"))
			escaped("is tied to the host's: %s", line);
	if (!f)
		broken("mountinfo");
	held();
}
