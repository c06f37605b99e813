/* attack: expect=exited:0 layer=proc+landlock why=/proc of the cell alone, and no capability to write to the kernel's part of it */
#include "attack.h"

/* Opening for writing is enough: nothing is written to the kernel's own. */
int main(void)
{
	static const char *const files[] = {
		"/proc/sysrq-trigger",
		"/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/hostname",
		"/proc/sys/kernel/ns_last_pid",
		"/proc/sys/kernel/panic",
		"/proc/sys/kernel/modprobe",
		"/proc/sys/vm/drop_caches",
		"/proc/sys/vm/overcommit_memory",
		"/proc/sys/fs/file-max",
		"/proc/sys/net/ipv4/ip_forward",
		"/proc/sys/user/max_user_namespaces",
		"/proc/1/oom_score_adj",
		"/proc/1/mem",
		"/proc/1/attr/current",
		"/proc/1/clear_refs",
		"/proc/1/timerslack_ns",
		"/proc/kcore",
		"/proc/kmsg",
		"/proc/mtrr",
		"/sys/kernel/uevent_helper",
		"/sys/fs/cgroup/cgroup.procs",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes",
		"/sys/power/state",
	};
	char path[64];
	int fd;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (open(files[i], O_WRONLY | O_CLOEXEC) >= 0 ||
		    open(files[i], O_RDWR | O_CLOEXEC) >= 0)
			escaped("can write %s", files[i]);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "-1000", 5) == 5)
		escaped("will never be killed for memory");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", getpid());
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "0 0 1\n", 6) == 6)
		escaped("mapped root");
	held();
}
