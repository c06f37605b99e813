/* Checks of how the system is set up: cgroups, ids, /proc, rights, limits. */
#include <errno.h>
#include <fcntl.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"
#include "sandbox/doctor_checks.h"
#include "sandbox/ids.h"
#include "sandbox/rights.h"
#include "sandbox/see.h"
#include "sandbox/subids.h"

#define FILES_NEEDED 512 /* of one process: a keeper's own and those of the largest request */

static int find(struct cgroup_found *found, struct doctor_finding *f)
{
	struct err e;
	AUTO_CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root >= 0 && cgroup_find(root, found, &e) == 0)
		return 0;
	doctor_missing(f, "%s", root < 0 ? "/ cannot be opened" : see_q(e.msg));
	doctor_mend(f, "mount -t cgroup2 none /sys/fs/cgroup");
	return -1;
}

static void look_cgroup_version(struct doctor_finding *f)
{
	struct cgroup_found found;

	if (find(&found, f) < 0)
		return;
	if (found.version == 2)
		doctor_ok(f, "v2 at %s", see_q(found.places[0].mount));
	else
		doctor_ok(f, "v1, %d hierarchies%s", found.n,
			  found.hybrid ? "; v2 is mounted without the controllers (hybrid)" : "");
}

static void mend_controller(struct doctor_finding *f, int version)
{
	if (version == 2)
		doctor_mend(f, "hand it down: echo +cpuset > cgroup.subtree_control in every "
			       "folder above; "
			       "with systemd, Delegate=cpu cpuset memory pids in the unit");
	else
		doctor_mend(f, "boot without cgroup_disable= for it, and mount its hierarchy");
}

/* Opens an instance, as sandboxd does when it starts, and closes it again. */
static void look_controllers(struct doctor_finding *f)
{
	struct cgroup_host h;
	struct err e;
	char text[256];

	if (cgroup_host_open(&h, &e) < 0) {
		doctor_missing(f, "%s", see_q(e.msg));
		doctor_mend(
			f, geteuid() == 0
				   ? "see the reason; the kernel must have the memory and pids "
				     "controllers"
				   : "start it in a delegated group: systemd-run --user --scope -p "
				     "Delegate=yes sandbox doctor; or run as root");
		return;
	}
	cgroup_host_describe(&h, text, sizeof(text));
	doctor_ok(f, "%s", text);
	if (*h.why_not_cpu || *h.why_not_cpuset) {
		doctor_warn(f, "%s; %s %s", text,
			    *h.why_not_cpu ? "no CPU quota:" : "no pinning to a CPU:",
			    see_q(*h.why_not_cpu ? h.why_not_cpu : h.why_not_cpuset));
		mend_controller(f, h.ops == &cgroup_v2_ops ? 2 : 1);
	} else if (*h.why_not_devices) {
		doctor_warn(f, "%s; no list of devices, one layer less: %s", text,
			    see_q(h.why_not_devices));
		doctor_mend(f, "run as root, on v1 with the devices hierarchy mounted, on v2 with "
			       "a kernel built with CONFIG_CGROUP_BPF");
	}
	if (cgroup_host_close(&h, &e) < 0) {
		doctor_warn(f, "an instance could not be removed: %s", see_q(e.msg));
		doctor_mend(f, "the next sandboxd or sandbox removes it");
	}
}

static void look_delegation(struct doctor_finding *f)
{
	struct cgroup_found found;
	struct stat st;

	if (find(&found, f) < 0)
		return;
	const char *own = found.places[0].own;
	AUTO_CLOSE int dir = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || fstat(dir, &st) < 0) {
		doctor_missing(f, "%s: %s", see_q(own), strerror(errno));
		doctor_mend(f, "make the cgroup file systems visible in this container");
		return;
	}
	if (faccessat(dir, ".", W_OK, AT_EACCESS) == 0 &&
	    faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0) {
		doctor_ok(f, "%s is writable, owner uid %u", see_q(own), st.st_uid);
		return;
	}
	doctor_missing(f, "%s cannot be written by uid %u", see_q(own), geteuid());
	doctor_mend(f, geteuid() == 0
			       ? "mount the cgroup file systems writable (docker: --privileged, or "
				 "--cgroupns=private with a writable /sys/fs/cgroup)"
			       : "systemd-run --user --scope -p Delegate=yes sandbox doctor, or "
				 "run as root");
}

static void look_swap(struct doctor_finding *f)
{
	struct err e;
	struct cgroup_found found;
	AUTO_CLOSE int dir = -1;

	if (cgroup_no_swap("a limit", &e) == 0) {
		doctor_ok(f, "no swap space");
		return;
	}
	if (find(&found, f) < 0)
		return;
	for (int i = 0; i < found.n && dir < 0; i++)
		if (found.version == 2 || (found.places[i].controllers & 1U << CGROUP_MEMORY))
			dir = open(found.places[i].own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && (cgroup_dir_has(dir, "memory.memsw.limit_in_bytes") ||
			 cgroup_dir_has(dir, "memory.swap.max") ||
			 (found.version == 2 && !cgroup_dir_has(dir, "cgroup.type")))) {
		doctor_ok(f, "there is swap space; cells get none of it");
		return;
	}
	doctor_missing(f, "there is swap space, and cgroups cannot limit it");
	doctor_mend(f, "swapoff -a, or boot with swapaccount=1");
}

static int has_newuidmap(void)
{
	static const char *const paths[] = {"/usr/bin/newuidmap", "/bin/newuidmap",
					    "/usr/local/bin/newuidmap"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return 1;
	return 0;
}

static void look_subordinate(struct doctor_finding *f)
{
	uid_t base;
	uid_t count;
	gid_t gid_base;
	struct err e;

	if (getuid() == 0)
		doctor_ok(f, "not needed by root; newuidmap is %sinstalled",
			  has_newuidmap() ? "" : "not ");
	else if (!has_newuidmap()) {
		doctor_missing(f, "newuidmap is not installed: cells need root");
		doctor_mend(f, "apt-get install uidmap");
	} else if (rights_subordinate(&base, &gid_base, &count, &e) < 0) {
		doctor_missing(f, "%s", see_q(e.msg));
		doctor_mend(f, "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "
			       "USER, with ids that no other line of " SUBIDS_UID " gives away");
	} else
		doctor_ok(f, "%u to %u, gids from %u; newuidmap installed", base, base + count - 1,
			  gid_base);
}

/* Our own user namespace must know the host ids of cells. */
static void look_ids(struct doctor_finding *f)
{
	AUTO_FREE char *text = see_read_all(AT_FDCWD, "/proc/self/uid_map");
	long long wanted = (long long)IDS_BASE_DEFAULT + IDS_COUNT_DEFAULT;

	for (char *p = text; p && *p;) {
		long long inside = strtoll(p, &p, 10);

		(void)strtoll(p, &p, 10);
		long long count = strtoll(p, &p, 10);

		if (inside <= IDS_BASE_DEFAULT && inside + count >= wanted) {
			doctor_ok(f, "%u to %lld are there for cells", IDS_BASE_DEFAULT,
				  wanted - 1);
			return;
		}
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	doctor_warn(f, "the ids %u to %lld do not exist in this user namespace", IDS_BASE_DEFAULT,
		    wanted - 1);
	doctor_mend(f, "map them into the container, or give sandboxd others by --ids BASE:COUNT");
}

/* Mounts below /proc, but for the two that the kernel has empty folders for. */
static void look_proc(struct doctor_finding *f)
{
	AUTO_FREE char *text = see_read_all(AT_FDCWD, "/proc/self/mountinfo");
	char list[400] = "";
	size_t len = 0;

	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		const char *point = line;

		for (int i = 0; i < 4 && (point = strchr(point, ' ')); i++)
			point++;
		size_t n = point ? strcspn(point, " ") : 0;

		if (n <= 6 || strncmp(point, "/proc/", 6) != 0 ||
		    strncmp(point, "/proc/sys/fs/binfmt_misc", 24) == 0 ||
		    strncmp(point, "/proc/fs/nfsd", 13) == 0 || len + n + 2 > sizeof(list))
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len, " %.*s", (int)n, point);
	}
	if (len == 0) {
		doctor_ok(f, "nothing is mounted over parts of it");
		return;
	}
	doctor_warn(f, "masked:%s; the kernel then refuses a new /proc in a user namespace",
		    see_q(list));
	doctor_mend(f, "a container with an unmasked /proc (docker: --security-opt "
		       "systempaths=unconfined)");
}

static const struct {
	cap_value_t cap;
	int needed;
	const char *why;
} capabilities[] = {
	{CAP_SYS_ADMIN, 1, "namespaces"},
	{CAP_SETUID, 1, "ids of cells"},
	{CAP_SETGID, 1, "ids of cells"},
	{CAP_KILL, 1, "ending programs"},
	{CAP_DAC_OVERRIDE, 1, "files of cells"},
	{CAP_SYS_PTRACE, 0, "ps and inspect see less"},
	{CAP_SYS_NICE, 0, "no exact deadlines on a busy machine"},
	{CAP_NET_ADMIN, 0, "no bridge"},
	{CAP_SYS_RESOURCE, 0, "hard limits stay as they are inherited"},
};

static void look_rights(struct doctor_finding *f)
{
	cap_t own = cap_get_proc();
	char lacks[300] = "";
	size_t len = 0;
	int needed = 0;

	for (size_t i = 0; own && i < ARRAY_LEN(capabilities); i++) {
		cap_flag_value_t set = CAP_CLEAR;
		char *name = cap_to_name(capabilities[i].cap);

		if (cap_get_flag(own, capabilities[i].cap, CAP_EFFECTIVE, &set) == 0 &&
		    set == CAP_CLEAR && len < sizeof(lacks)) {
			needed |= capabilities[i].needed;
			len += (size_t)snprintf(lacks + len, sizeof(lacks) - len, "%s%s (%s)",
						len ? ", " : "", name ? name : "?",
						capabilities[i].why);
		}
		cap_free(name);
	}
	cap_free(own);
	if (geteuid() != 0) {
		doctor_warn(f,
			    "uid %u, not root: no list of devices, no private networks, no images "
			    "of file systems",
			    geteuid());
		doctor_mend(f, "run it by sudo for these; cells do without");
	} else if (needed) {
		doctor_missing(f, "root without %s", lacks);
		doctor_mend(f,
			    "give the container or service these capabilities (docker: --cap-add)");
	} else if (len > 0) {
		doctor_warn(f, "root without %s", lacks);
		doctor_mend(f, "give the container or service these capabilities, if that matters");
	} else
		doctor_ok(f, "root with all capabilities that are used");
}

static void look_files(struct doctor_finding *f)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0) {
		doctor_warn(f, "getrlimit: %s", strerror(errno));
		return;
	}
	doctor_ok(f, "%llu, at most %llu a process (sandboxd takes the most); %lld on the machine",
		  (unsigned long long)rl.rlim_cur, (unsigned long long)rl.rlim_max,
		  doctor_number("/proc/sys/fs/file-max"));
	if (rl.rlim_max >= FILES_NEEDED)
		return;
	doctor_warn(f, "at most %llu a process, %d are needed for large requests",
		    (unsigned long long)rl.rlim_max, FILES_NEEDED);
	doctor_mend(f, "LimitNOFILE=4096 in the unit, or ulimit -Hn 4096");
}

static void look_processes(struct doctor_finding *f)
{
	long long pids = doctor_number("/proc/sys/kernel/pid_max");
	long long threads = doctor_number("/proc/sys/kernel/threads-max");

	doctor_ok(f, "pid_max %lld, threads-max %lld", pids, threads);
	if ((pids >= 0 && pids < 8192) || (threads >= 0 && threads < 4096)) {
		doctor_warn(f, "pid_max %lld, threads-max %lld: few cells fit", pids, threads);
		doctor_mend(f, "sysctl -w kernel.pid_max=32768 kernel.threads-max=32768");
	}
}

const struct doctor_check doctor_system_checks[] = {
	{"namespaces", "subordinate ids", look_subordinate},
	{"namespaces", "ids of cells", look_ids},
	{"namespaces", "/proc", look_proc},
	{"cgroups", "version", look_cgroup_version},
	{"cgroups", "delegation", look_delegation},
	{"cgroups", "controllers", look_controllers},
	{"cgroups", "swap", look_swap},
	{"rights", "capabilities", look_rights},
	{"rights", "open files", look_files},
	{"rights", "processes", look_processes},
	{NULL, NULL, NULL},
};
