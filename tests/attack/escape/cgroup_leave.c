/* attack: expect=exited:0 layer=root+userns+ids+landlock why=a process joins a cgroup by a file that is not there, or at birth by a call that is not there either */
#include "attack.h"
#include <linux/sched.h>
#include <sched.h>

int main(void)
{
	static const char *const files[] = {"/sys/fs/cgroup/cgroup.procs",
					    "/sys/fs/cgroup/pids/cgroup.procs",
					    "/sys/fs/cgroup/memory/tasks", "/proc/self/cgroup",
					    "/proc/1/root/sys/fs/cgroup/cgroup.procs"};
	static const char *const folders[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					      "/sys/fs/cgroup/pids", "/"};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int fd = open(files[i], O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write(fd, "0\n", 2) == 2)
			escaped("left its cgroup by %s", files[i]);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		int fd = open(folders[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct clone_args args = {
			.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (__u64)fd};
		long pid = fd < 0 ? -1 : syscall(SYS_clone3, &args, sizeof(args));

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			escaped("a child was born into %s", folders[i]);
	}
	held();
}
