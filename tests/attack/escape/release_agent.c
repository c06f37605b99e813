/* attack: expect=exited:0|forbidden_syscall:{} each=files,mount,fsopen,unshare layer=root+userns+ids+landlock why=no file of a cgroup is in the root, and no call can mount one: release_agent would be run by the kernel, as root of the host */
#include "attack.h"
#include <sched.h>
#include <sys/mount.h>

/* A file of this name beneath what is mounted as a cgroup, by whatever way it can be reached. */
static void try_tree(const char *top)
{
	static const char *const names[] = {
		"release_agent", "notify_on_release",     "cgroup.procs", "tasks",
		"cgroup.kill",   "memory.limit_in_bytes", "devices.allow"};
	static const char *const trees[] = {"",         "/memory",  "/pids", "/cpu",
					    "/cpuacct", "/devices", "/rdma", "/systemd",
					    "/unified", "/freezer"};
	char path[256];

	for (size_t t = 0; t < sizeof(trees) / sizeof(*trees); t++)
		for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
			snprintf(path, sizeof(path), "%s%s/%s", top, trees[t], names[n]);
			if (open(path, O_WRONLY | O_CLOEXEC) >= 0)
				escaped("can write %s", path);
		}
}

int main(int argc, char **argv)
{
	static const char *const tops[] = {"/sys/fs/cgroup", "/proc/1/root/sys/fs/cgroup",
					   "/cgroup", "/proc/self/root/sys/fs/cgroup",
					   "/tmp/cgroup"};
	const char *way = argc > 1 ? argv[1] : "";

	if (mkdir("/tmp/cgroup", 0700) < 0 && !strcmp(way, "mount"))
		broken("mkdir");
	if (!strcmp(way, "unshare") && unshare(CLONE_NEWCGROUP | CLONE_NEWNS) == 0)
		escaped("has a cgroup namespace and mounts of its own");
	if (!strcmp(way, "mount"))
		for (const char *const *o = (const char *const[]){"memory", "rdma", "pids", NULL};
		     *o; o++)
			if (mount("cgroup", "/tmp/cgroup", "cgroup", 0, *o) == 0 ||
			    mount("cgroup2", "/tmp/cgroup", "cgroup2", 0, "") == 0)
				escaped("mounted a cgroup");
	if (!strcmp(way, "fsopen") && syscall(SYS_fsopen, "cgroup", 0) >= 0)
		escaped("opened the file system of cgroups");
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++)
		try_tree(tops[i]);
	held();
}
