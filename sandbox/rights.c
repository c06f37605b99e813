#include "sandbox/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_ops.h"
#include "sandbox/ids.h"
#include "sandbox/subids.h"

#define LEAST 3 /* one pair of ids that begins at an even one, ids.h */

static uid_t user; /* of rights_user() */

/* What one of newuidmap and newgidmap is to write: the user's own id as 0, and the range from `base` of the host as `inside`. */
struct map {
	const char *tool;
	id_t own, inside, base, count;
};

/* The process that asks them: made before the namespace, because in there setuid bits mean nothing. */
struct mapper {
	pid_t pid;
	int go;   /* one byte: the namespace is there */
	int said; /* why not */
};

uid_t rights_user(void)
{
	return user;
}

int rights_subordinate(uid_t *base, gid_t *gid_base, uid_t *count, struct err *e)
{
	const struct passwd *p = getpwuid(getuid()); /* NOLINT(concurrency-mt-unsafe): one thread */
	struct subids uids;
	struct subids gids;

	if (!p)
		return err_set(e, "user %u is not in /etc/passwd", getuid());
	if (subids_find(SUBIDS_UID, p->pw_name, getuid(), &uids, e) < 0 ||
	    subids_find(SUBIDS_GID, p->pw_name, getuid(), &gids, e) < 0) {
		struct err why = *e;

		return err_set(e,
			       "%.100s: usermod --add-subuids 100000-165535 --add-subgids "
			       "100000-165535 %.32s",
			       why.msg, p->pw_name);
	}
	*base = uids.first;
	*gid_base = gids.first;
	*count = uids.count < gids.count ? uids.count : gids.count;
	if (*count < LEAST)
		return err_set(e,
			       SUBIDS_UID
			       " and " SUBIDS_GID
			       " give user %.32s %u ids: a cell takes two, so give 65536",
			       p->pw_name, *count);
	return 0;
}

/* Of v1 a plain user could be given folders; but not safely, says the kernel's documentation. */
static int check_cgroups(struct err *e)
{
	struct cgroup_found found;
	AUTO_CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open /");
	if (cgroup_find(root, &found, e) < 0)
		return -1;
	if (found.version == 2)
		return 0;
	return err_set(e,
		       "the controllers are on cgroup v1, which cannot be handed to a plain user "
		       "safely: boot with systemd.unified_cgroup_hierarchy=1 for cgroup v2");
}

/* Becomes the tool. */
_Noreturn static void ask(const struct map *m, pid_t pid)
{
	char target[16], own[16], inside[16], base[16], count[16];
	char zero[] = "0", one[] = "1";
	char *argv[] = {(char *)m->tool, target, zero, own, one, inside, base, count, NULL};

	snprintf(target, sizeof(target), "%d", (int)pid);
	snprintf(own, sizeof(own), "%u", m->own);
	snprintf(inside, sizeof(inside), "%u", m->inside);
	snprintf(base, sizeof(base), "%u", m->base);
	snprintf(count, sizeof(count), "%u", m->count);
	execvp(m->tool, argv);
	dprintf(STDERR_FILENO, "%s: %s: install the package uidmap\n", m->tool, strerror(errno));
	_exit(127);
}

_Noreturn static void be_mapper(const struct map *maps, size_t n, pid_t target, int go, int said)
{
	char byte;

	if (dup2(said, STDERR_FILENO) < 0 || read(go, &byte, 1) != 1)
		_exit(1);
	for (size_t i = 0; i < n; i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			ask(&maps[i], target);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
			_exit(1);
	}
	_exit(0);
}

static int mapper_start(struct mapper *m, const struct map *maps, size_t n, struct err *e)
{
	int go[2], said[2];
	pid_t self = getpid();

	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	m->pid = fork();
	if (m->pid == 0) {
		(void)close(go[1]); /* or it would wait for ever for a parent that is dead */
		be_mapper(maps, n, self, go[0], said[1]);
	}
	(void)close(go[0]);
	(void)close(said[1]);
	m->go = go[1];
	m->said = said[0];
	return m->pid < 0 ? err_sys(e, "fork") : 0;
}

/* Lets it work, or, without a namespace, end. */
static int mapper_end(struct mapper *m, int work, struct err *e)
{
	char why[160] = "";
	size_t len = 0;
	ssize_t n;
	int status = 0;

	if (work && write(m->go, "g", 1) != 1)
		work = 0;
	(void)close(m->go);
	while (len < sizeof(why) - 1 &&
	       ((n = read(m->said, why + len, sizeof(why) - 1 - len)) > 0 ||
		(n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	(void)close(m->said);
	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		;
	why[strcspn(why, "\n")] = '\0';
	if (work && status == 0)
		return 0;
	return err_set(e, "%s", *why ? why : "newuidmap and newgidmap did not do their work");
}

static int explain_unshare(struct err *e)
{
	return err_sys(e,
		       "plain users cannot make user namespaces here (see 'namespaces' in sandbox "
		       "doctor)");
}

/* The kernel is asked: all of it must be true before anything is done in the name of it. */
static int verify(struct err *e)
{
	if (getuid() != 0 || geteuid() != 0 || getgid() != 0 || getegid() != 0)
		return err_set(e, "the user namespace has no root");
	if (setgroups(0, NULL) < 0)
		return err_sys(e, "give up supplementary groups");
	if (getgroups(0, NULL) != 0)
		return err_set(e, "supplementary groups are left");
	return 0;
}

static int enter(const struct map *maps, size_t n, struct err *e)
{
	struct mapper m = {.go = -1, .said = -1};
	struct err ignored;

	/* Our caller may have left it ignored; then nobody could be waited for. */
	(void)sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	if (mapper_start(&m, maps, n, e) < 0)
		return -1;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		explain_unshare(e);
		(void)mapper_end(&m, 0, &ignored);
		return -1;
	}
	return mapper_end(&m, 1, e) < 0 ? -1 : verify(e);
}

static int check_ids(uid_t base, uid_t count, uid_t first, uid_t most, struct err *e)
{
	if (count == 0 || (base >= first && base - first <= most && count <= most - (base - first)))
		return 0;
	return err_set(e, "--ids: %u:%u is not within %u:%u, the subordinate ids in " SUBIDS_UID,
		       base, count, first, most);
}

static int obtain_rootless(uid_t base, uid_t count, struct err *e)
{
	uid_t first = 0;
	uid_t most = 0;
	gid_t gids = 0;
	uid_t self = getuid();

	if (geteuid() != self || getegid() != getgid())
		return err_set(e, "real and effective user differ");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return err_set(
			e, "no_new_privs is set, so newuidmap can do nothing: start it without");
	if (check_cgroups(e) < 0 || rights_subordinate(&first, &gids, &most, e) < 0)
		return -1;
	const struct map maps[] = {
		{"newuidmap", self, first, first, most},
		{"newgidmap", getgid(), first, gids, most},
	};

	if (check_ids(base, count, first, most, e) < 0 || enter(maps, ARRAY_LEN(maps), e) < 0)
		return -1;
	ids_use(first, most);
	user = self;
	return 0;
}

int rights_obtain(uid_t base, uid_t count, struct err *e)
{
	if (geteuid() != 0)
		return obtain_rootless(base, count, e) < 0 ? err_wrap(e, "without root") : 0;
	return setgroups(0, NULL) < 0 ? err_sys(e, "setgroups") : 0;
}
