/* attack: expect=exited:0 layer=pidns,proc why=/proc of the cell alone, hidepid, another uid for init */
#include "attack.h"
#include <dirent.h>

/* What /proc tells about any process that is not this program's. */
int main(void)
{
	static const char *const files[] = {"mem",     "environ", "maps",   "root", "cwd",
					    "exe",     "fd",      "ns/mnt", "io",   "stack",
					    "syscall", "cmdline", "status"};
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int others = 0;
	char path[300];

	if (!proc)
		broken("/proc");
	while ((entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0 || pid == getpid())
			continue;
		if (++others > 2)
			escaped("sees process %d", pid);
		for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
			snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
			if (open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0)
				escaped("opened %s", path);
		}
	}
	snprintf(path, sizeof(path), "/proc/%s/environ", given("VICTIM_PID"));
	if (access(path, F_OK) == 0)
		escaped("sees the host's processes");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/proc/1/%s", files[i]);
		if (open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0)
			escaped("opened %s", path);
		snprintf(path, sizeof(path), "/proc/1/task/1/%s", files[i]);
		if (open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0)
			escaped("opened %s", path);
	}
	held();
}
