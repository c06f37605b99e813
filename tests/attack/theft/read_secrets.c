/* attack: expect=exited:0 layer=root,proc why=a root that holds nothing else */
#include "attack.h"
#include <sys/utsname.h>

/* Whether a path can be opened, by its name and around it. */
static void must_be_hidden(const char *path)
{
	static const char *const ways[] = {"%s", "/proc/self/root%s", "/proc/1/root%s",
					   "../../../../../..%s", "/proc/self/cwd/../../..%s"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		char name[512];

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(name, sizeof(name), ways[i], path);
		if (open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0)
			escaped("opened %s", name);
		if (open(name, O_PATH | O_CLOEXEC) >= 0)
			escaped("sees %s", name);
	}
}

int main(void)
{
	struct utsname kernel;
	int major, minor;
	static const char *const paths[] = {
		"/etc/shadow", "/etc/gshadow",   "/etc/hostname", "/etc/machine-id",
		"/etc/ssh",    "/etc/fstab",     "/root",         "/home",
		"/var/log",    "/run",           "/sys",          "/boot",
		"/srv",        "/opt",           "/mnt",          "/media",
		"/proc/kcore", "/proc/kallsyms", "/proc/keys",    "/proc/sys",
		"/proc/bus",   "/dev/mem",       "/dev/sda",      "/dev/vda",
		"/dev/kvm",    "/dev/fuse",      "/dev/net/tun",  "/dev/ptmx",
		"/dev/pts",    "/dev/console",   "/dev/tty",      "/dev/loop-control",
		"/dev/kmsg",   "/dev/mqueue",
	};

	if (uname(&kernel) < 0 || sscanf(kernel.release, "%d.%d", &major, &minor) != 2)
		broken("uname");
	must_be_hidden(given("CANARY"));
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		/* Before Linux 5.8 /proc could not be told to show processes only. */
		if (!strncmp(paths[i], "/proc/", 6) && (major < 5 || (major == 5 && minor < 8)))
			continue;
		must_be_hidden(paths[i]);
	}
	held();
}
