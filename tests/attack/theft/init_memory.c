/* attack: expect=exited:0 layer=dumpable+ids+caps+landlock why=init holds what the sandbox was started with, and is closed to all */
#include "attack.h"

/* Init never became another program: its memory and environment are those of the sandbox. */
int main(void)
{
	static const char *const files[] = {"environ", "mem", "maps", "root", "fd", "cwd", "exe"};
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/proc/1/%s", files[i]);
		if (open(path, O_RDONLY | O_CLOEXEC) >= 0)
			escaped("opened %s", path);
	}
	held();
}
