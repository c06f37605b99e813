/* Where on v2 an instance's folders go. */
#include "sandbox/cgroup_v2.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"

#define LEAF       "gavel-leaf" /* where those go who are in the way */
#define LEAF_TRIES 100
#define PIDS_TEXT  65536

static bool has_basics(int dir, const char *file)
{
	return (cgroup_v2_listed(dir, file) & CGROUP_V2_BASICS) == CGROUP_V2_BASICS;
}

/* Whether this process is the only one in the folder. */
static bool alone(int dir)
{
	char text[64];
	uint64_t pid;
	struct err ignored;

	return cgroup_dir_read(dir, "cgroup.procs", text, sizeof(text), &ignored) >= 0 &&
	       cgroup_dir_number(text, &pid) && pid == (uint64_t)getpid();
}

static bool writable(int dir, const char *file)
{
	return faccessat(dir, file, W_OK, AT_EACCESS) == 0;
}

/*
 * Whether limited cgroups can be made in this folder.  A cgroup that holds processes cannot hand controllers to its
 * children (the root can); if the only process is this one, it can be moved out of the way.
 */
static const char *unusable(int dir, bool *move)
{
	*move = false;
	if (!has_basics(dir, "cgroup.controllers"))
		return "the controllers memory and pids are not delegated to it";
	if (!writable(dir, ".") || !writable(dir, "cgroup.procs"))
		return "not writable";
	if (has_basics(dir, "cgroup.subtree_control"))
		return NULL;
	if (!writable(dir, "cgroup.subtree_control"))
		return "cgroup.subtree_control is not writable";
	if (!cgroup_dir_has(dir, "cgroup.type")) /* the root */
		return NULL;
	if (!alone(dir))
		return "has other processes in it";
	*move = true;
	return NULL;
}

/*
 * Whether a folder that we may write to is also ours to arrange.  systemd keeps all but what it has given away, which it marks
 * (from version 251 on); where there is no systemd, the owner was set by somebody who meant it.
 */
static bool delegated(int root, int dir)
{
	char mark = '\0';

	return faccessat(root, "run/systemd/system", F_OK, 0) < 0 ||
	       (fgetxattr(dir, "user.delegate", &mark, 1) == 1 && mark == '1');
}

static int move_all(int dir, int leaf, struct err *e)
{
	AUTO_FREE char *text = malloc(PIDS_TEXT);
	struct err gone;

	if (!text)
		return err_set(e, "out of memory");
	if (cgroup_dir_read(dir, "cgroup.procs", text, PIDS_TEXT, e) < 0)
		return -1;
	for (char *rest = text, *pid; (pid = strsep(&rest, "\n"));)
		if (*pid)
			(void)cgroup_dir_write(leaf, "cgroup.procs", pid, &gone);
	return 0;
}

/*
 * A delegated cgroup in which a shell sits, say, or `judge verify` beside its sandboxd: everybody in it moves on into a leaf, where
 * the kernel wants processes to be, and stays there, because others may be started from there at any time.
 */
static int make_room(int dir, struct err *e)
{
	struct err exists;
	int made = cgroup_dir_make(dir, LEAF, &exists);
	AUTO_CLOSE int leaf = made >= 0 ? made : cgroup_dir_open(dir, LEAF, e);

	if (leaf < 0)
		return -1;
	for (int i = 0; i < LEAF_TRIES; i++)
		if (move_all(dir, leaf, e) < 0 || cgroup_v2_enable(dir, CGROUP_V2_BASICS, e) == 0)
			break; /* until then somebody has been started in it meanwhile */
	return has_basics(dir, "cgroup.subtree_control") ? 0 : -1;
}

static void take(struct cgroup_host *h, const char *path, int *dir)
{
	struct cgroup_tree *t = &h->trees[0];

	snprintf(t->path, sizeof(t->path), "%s", path);
	t->controllers = cgroup_v2_listed(*dir, "cgroup.controllers") | 1U << CGROUP_CPUACCT;
	t->parent = fd_steal(dir);
	h->controllers = t->controllers;
	h->ntrees = 1;
}

/* The folder above our own, if we are in a leaf of what was delegated; in a crowded cgroup, that itself. */
static bool place_delegated(struct cgroup_host *h, int root, const struct cgroup_place *p)
{
	char above[sizeof(p->own)];
	struct err ignored;
	bool move;
	AUTO_CLOSE int own = cgroup_open_path(root, p->own, &ignored);
	AUTO_CLOSE int parent = -1;

	snprintf(above, sizeof(above), "%s", p->own);
	*strrchr(above, '/') = '\0';
	if (strlen(above) >= strlen(p->mount))
		parent = cgroup_open_path(root, above, &ignored);
	if (parent >= 0 && has_basics(parent, "cgroup.subtree_control") &&
	    !unusable(parent, &move) && delegated(root, parent)) {
		take(h, above, &parent);
		return true;
	}
	if (own < 0 || !writable(own, ".") || !writable(own, "cgroup.subtree_control") ||
	    !has_basics(own, "cgroup.controllers") || !delegated(root, own) ||
	    make_room(own, &ignored) < 0)
		return false;
	take(h, p->own, &own);
	return true;
}

int cgroup_v2_place(struct cgroup_host *h, int root, const struct cgroup_found *f, struct err *e)
{
	const struct cgroup_place *p = &f->places[0];
	const char *const paths[] = {p->own, p->mount};
	const char *why[2] = {NULL, NULL};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		AUTO_CLOSE int dir = cgroup_open_path(root, paths[i], e);

		if (dir < 0)
			return -1;
		why[i] = unusable(dir, &h->moved);
		if (why[i])
			continue;
		take(h, paths[i], &dir);
		return 0;
	}
	if (place_delegated(h, root, p))
		return 0;
	return err_set(
		e,
		"no place for cgroups: %.60s %s, %.30s %s; start it with 'systemd-run --scope "
		"-p Delegate=yes COMMAND', as a plain user with --user",
		p->own, why[0], p->mount, why[1]);
}
