#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cgroup.h"
#include "sandbox/ids.h"
#include "sandbox/jail.h"
#include "sandbox/network.h"
#include "sandbox/root.h"

static jail_cell_fn step_cgroup, step_oom, step_ids, step_orphan, step_private, step_namespaces,
	step_network, step_root, step_enter, step_bounding, step_securebits, step_no_new_privs,
	step_verify;

/* clang-format off */
const struct jail_cell_step jail_cell_steps[] = {
	/* step           action              why it stands here */
	{ "cgroup",       step_cgroup       }, /* first: whatever init uses from now on is charged to the cell */
	{ "oom",          step_oom          }, /* before ids: afterwards its files in /proc are another user's */
	{ "ids",          step_ids          }, /* waits for the id maps; root of the cell: no id of the host is left */
	{ "orphan",       step_orphan       }, /* the kernel clears it in ids, so after */
	{ "private",      step_private      }, /* before any mount: none may travel to the host */
	{ "namespaces",   step_namespaces   }, /* through the host's /proc, which is gone after root */
	{ "network",      step_network      }, /* needs rights over the network namespace only */
	{ "root",         step_root         }, /* while the host's files are still there to be bound */
	{ "enter",        step_enter        }, /* from here the host's files are unreachable */
	{ "bounding",     step_bounding     }, /* for init and all it will ever start; needs CAP_SETPCAP, so before securebits */
	{ "securebits",   step_securebits   }, /* uid 0 means nothing any more, for good */
	{ "no_new_privs", step_no_new_privs }, /* setuid bits and file capabilities mean nothing any more */
	{ "verify",       step_verify       }, /* ask the kernel whether all that is true */
};
/* clang-format on */
const size_t jail_cell_nsteps = ARRAY_LEN(jail_cell_steps);

const char *const jail_namespace_names[JAIL_NAMESPACES] = {"user", "pid", "mnt",   "net",
							   "ipc",  "uts", "cgroup"};

#define SECUREBITS                                                                                 \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |                    \
	 SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |                                   \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

#define OOM_SCORE "/proc/self/oom_score_adj"
#define OOM_FIRST "1000\n" /* proc(5): the most there is */

int jail_namespace_read(enum jail_namespace which, ino_t *inode, struct err *e)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", jail_namespace_names[which]);
	if (stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	*inode = st.st_ino;
	return 0;
}

int jail_namespaces_read(struct jail_namespaces *n, struct err *e)
{
	for (size_t i = 0; i < JAIL_NAMESPACES; i++)
		if (jail_namespace_read((enum jail_namespace)i, &n->inode[i], e) < 0)
			return -1;
	return 0;
}

static int step_cgroup(const struct jail_cell *c, struct err *e)
{
	errno = cgroup_attach_self(c->procs_fds, c->nprocs_fds);
	return errno ? err_sys(e, "join the cell's cgroup") : 0;
}

/* When the machine itself runs out of memory, cells go first; programs inherit it and cannot write to /proc. */
static int step_oom(const struct jail_cell *c, struct err *e)
{
	AUTO_CLOSE int fd = open(OOM_SCORE, O_WRONLY | O_CLOEXEC);

	(void)c;
	if (fd < 0)
		return err_sys(e, "open " OOM_SCORE);
	return io_write_all(fd, OOM_FIRST, strlen(OOM_FIRST), e);
}

static int step_ids(const struct jail_cell *c, struct err *e)
{
	char go;

	if (read(c->go_fd, &go, 1) != 1)
		return err_set(e, "the keeper went away");
	if (setgroups(0, NULL) < 0)
		return err_sys(e, "setgroups");
	if (setresgid(IDS_INIT, IDS_INIT, IDS_INIT) < 0)
		return err_sys(e, "setresgid");
	if (setresuid(IDS_INIT, IDS_INIT, IDS_INIT) < 0)
		return err_sys(e, "setresuid");
	/* The kernel does so too, unless fs.suid_dumpable says otherwise. */
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? err_sys(e, "prctl(PR_SET_DUMPABLE)") : 0;
}

static int step_orphan(const struct jail_cell *c, struct err *e)
{
	(void)c;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "prctl(PR_SET_PDEATHSIG)");
	return 0;
}

static int step_private(const struct jail_cell *c, struct err *e)
{
	(void)c;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make / private");
	return 0;
}

/* No further user namespaces: they are where unprivileged code meets the kernel's privileged code. */
static int step_namespaces(const struct jail_cell *c, struct err *e)
{
	static const char path[] = "/proc/sys/user/max_user_namespaces";
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	(void)c;
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return io_write_all(fd, "0\n", 2, e);
}

static int step_network(const struct jail_cell *c, struct err *e)
{
	return network_set_up(c->network, e);
}

static int step_root(const struct jail_cell *c, struct err *e)
{
	return root_build(c->root, e);
}

static int step_enter(const struct jail_cell *c, struct err *e)
{
	(void)c;
	return root_enter(e);
}

static int step_bounding(const struct jail_cell *c, struct err *e)
{
	(void)c;
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (cap_drop_bound(cap) < 0)
			return err_sys(e, "drop capability %d from the bounding set", cap);
	return 0;
}

static int step_securebits(const struct jail_cell *c, struct err *e)
{
	(void)c;
	return prctl(PR_SET_SECUREBITS, SECUREBITS) < 0 ? err_sys(e, "prctl(PR_SET_SECUREBITS)")
							: 0;
}

static int step_no_new_privs(const struct jail_cell *c, struct err *e)
{
	(void)c;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "prctl(PR_SET_NO_NEW_PRIVS)");
	return 0;
}

static int verify_process(struct err *e)
{
	int sig = 0;

	if (getpid() != 1)
		return err_set(e, "is not pid 1 of its namespace");
	if (getuid() != IDS_INIT || geteuid() != IDS_INIT || getgid() != IDS_INIT)
		return err_set(e, "runs as %d:%d", (int)getuid(), (int)getgid());
	if (getgroups(0, NULL) != 0)
		return err_set(e, "has supplementary groups");
	if (prctl(PR_GET_PDEATHSIG, &sig) < 0 || sig != SIGKILL)
		return err_set(e, "would outlive its keeper");
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (cap_get_bound(cap) != 0)
			return err_set(e, "capability %d is in the bounding set", cap);
	if (prctl(PR_GET_SECUREBITS) != SECUREBITS)
		return err_set(e, "securebits are 0x%x", prctl(PR_GET_SECUREBITS));
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(e, "no_new_privs is off");
	if (prctl(PR_GET_DUMPABLE) != 0)
		return err_set(e, "is dumpable: its memory and /proc files are open to its uid");
	return 0;
}

static int verify_oom(struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (io_read_file(OOM_SCORE, 64, &text, &len, e) < 0)
		return -1;
	return strcmp(text, OOM_FIRST) == 0 ? 0 : err_set(e, "oom_score_adj is not 1000");
}

static int verify_namespaces(const struct jail_namespaces *host, struct err *e)
{
	struct jail_namespaces own = {0};

	if (jail_namespaces_read(&own, e) < 0)
		return -1;
	for (size_t i = 0; i < JAIL_NAMESPACES; i++)
		if (own.inode[i] == host->inode[i])
			return err_set(e, "the %s namespace is the host's",
				       jail_namespace_names[i]);
	return 0;
}

static int verify_mount(const struct root_mount *m, struct err *e)
{
	unsigned long want = ST_NOSUID | ST_NODEV | (m->type == ROOT_BIND_RW ? 0 : ST_RDONLY);
	struct statvfs v;
	AUTO_CLOSE int fd = -1;

	if (m->type != ROOT_BIND && m->type != ROOT_BIND_RW && m->type != ROOT_PROC)
		return 0;
	/* A bind of a link is a link, which may lead nowhere. */
	fd = open(m->target, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstatvfs(fd, &v) < 0)
		return m->optional && errno == ENOENT ? 0 : err_sys(e, "%s", m->target);
	if ((v.f_flag & want) != want)
		return err_set(e, "%s lacks read-only, nosuid or nodev", m->target);
	return 0;
}

static int verify_root(const struct root *r, struct err *e)
{
	struct statvfs v;

	if (statvfs("/", &v) < 0 || !(v.f_flag & ST_RDONLY) || !(v.f_flag & ST_NOSUID))
		return err_set(e, "/ is not read-only and nosuid");
	for (size_t i = 0; i < r->nmounts; i++)
		if (verify_mount(&r->mounts[i], e) < 0)
			return -1;
	return 0;
}

/* A mount that travels shows as "shared:N" in /proc/self/mountinfo, proc(5). */
static int verify_mounts_private(struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (io_read_file("/proc/self/mountinfo", 1 << 20, &text, &len, e) < 0)
		return -1;
	if (strstr(text, " shared:") || strstr(text, " master:"))
		return err_set(e, "a mount is tied to the host's");
	return 0;
}

static int step_verify(const struct jail_cell *c, struct err *e)
{
	if (verify_process(e) < 0 || verify_oom(e) < 0 || verify_namespaces(&c->host, e) < 0 ||
	    verify_root(c->root, e) < 0 || verify_mounts_private(e) < 0)
		return -1;
	return network_verify(c->network, e);
}

int jail_enter_cell(const struct jail_tables *t, const struct jail_cell *c, struct err *e)
{
	for (size_t i = 0; i < t->ncell; i++)
		if (t->cell[i].run(c, e) < 0)
			return err_wrap(e, "cell: %s", t->cell[i].name);
	return 0;
}
