#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"

#define PREFIX      "gavel-"
#define HEX_DIGITS  8
#define ATTEMPTS    16
#define REMOVE_MS   5000
#define SWEEP_DEPTH 16

static bool is_instance_name(const char *name)
{
	size_t len = strlen(PREFIX);

	return strncmp(name, PREFIX, len) == 0 && strlen(name) == len + HEX_DIGITS &&
	       strspn(name + len, "0123456789abcdef") == HEX_DIGITS;
}

/* Whether parent/name is still the folder behind dir. */
static bool still_there(int parent, const char *name, int dir)
{
	struct stat a;
	struct stat b;

	return fstat(dir, &a) == 0 && fstatat(parent, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/*
 * Makes and locks the folder.  Between the two another instance's sweep may take it for garbage: then it is locked, or
 * locked and gone.  Returns 1 if the name is to be given up and another one tried.
 */
static int tree_open(struct cgroup_tree *t, const char *name, struct err *e)
{
	AUTO_CLOSE int dir = -1;

	if (mkdirat(t->parent, name, 0755) < 0)
		return errno == EEXIST ? 1 : err_sys(e, "mkdir %s/%s", t->path, name);
	dir = openat(t->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 1 : err_sys(e, "open %s/%s", t->path, name);
	if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 1 : err_sys(e, "lock %s/%s", t->path, name);
	if (!still_there(t->parent, name, dir))
		return 1;
	t->dir = fd_steal(&dir);
	return 0;
}

/* Removes the folders made so far; the locks last until they are gone. */
static int trees_remove(struct cgroup_host *h, struct err *e)
{
	int rc = 0;

	for (int i = 0; i < h->ntrees; i++) {
		struct cgroup_tree *t = &h->trees[i];

		if (t->dir < 0)
			continue;
		if (cgroup_dir_remove(t->parent, h->name, REMOVE_MS, e) < 0)
			rc = -1;
		(void)close(fd_steal(&t->dir));
	}
	return rc;
}

static int trees_open(struct cgroup_host *h, struct err *e)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		uint32_t random;
		int rc = 0;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return err_sys(e, "getrandom");
		snprintf(h->name, sizeof(h->name), PREFIX "%08x", random);
		for (int i = 0; i < h->ntrees && rc == 0; i++)
			rc = tree_open(&h->trees[i], h->name, e);
		if (rc <= 0)
			return rc;
		if (trees_remove(h, e) < 0)
			return -1;
	}
	return err_set(e, "%s: %d names for a cgroup were all taken", h->trees[0].path, ATTEMPTS);
}

/* Removes one folder if no living instance holds it.  What another user owns is left to that user. */
static int remove_dead(int parent, const char *name, struct err *e)
{
	AUTO_CLOSE int dir =
		parent < 0 ? -1
			   : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0 || faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) < 0 ||
	    flock(dir, LOCK_EX | LOCK_NB) < 0)
		return 0;
	return cgroup_dir_remove(parent, name, REMOVE_MS, e);
}

static int is_instance(const struct dirent *d)
{
	return d->d_type == DT_DIR && is_instance_name(d->d_name);
}

/* What died where ours is about to be made: a look at a folder or a few, while the whole machine may have thousands. */
static int sweep_beside(const struct cgroup_host *h, struct err *e)
{
	int rc = 0;

	for (int i = 0; i < h->ntrees; i++) {
		struct dirent **found = NULL;
		int n = scandirat(h->trees[i].parent, ".", &found, is_instance, NULL);

		for (int k = 0; k < n; k++) {
			if (remove_dead(h->trees[i].parent, found[k]->d_name, e) < 0)
				rc = -1;
			free(found[k]);
		}
		free(found);
	}
	return rc;
}

static int sweep_one(void *arg, const char *path, const char *below, const char *name,
		     struct err *e)
{
	char parent_path[PATH_MAX];

	(void)arg;
	(void)below;
	snprintf(parent_path, sizeof(parent_path), "%.*s", (int)(strlen(path) - strlen(name)),
		 path);
	AUTO_CLOSE int parent = open(parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return remove_dead(parent, name, e);
}

int cgroup_walk(int root, const char *mount, cgroup_visitor *visit, void *arg, struct err *e)
{
	char start[64];
	int rc = 0;
	AUTO_CLOSE int dir = cgroup_open_path(root, mount, e);

	if (dir < 0)
		return -1;
	snprintf(start, sizeof(start), "/proc/self/fd/%d/.", dir);
	FTS *walk = fts_open((char *[]){start, NULL},
			     FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT | FTS_XDEV, NULL);

	if (!walk)
		return err_sys(e, "fts_open %s", mount);
	for (FTSENT *f = fts_read(walk); f; f = fts_read(walk)) {
		if (f->fts_info != FTS_D)
			continue;
		if (f->fts_level >= SWEEP_DEPTH)
			(void)fts_set(walk, f, FTS_SKIP);
		if (f->fts_level == 0 || !is_instance_name(f->fts_name))
			continue;
		(void)fts_set(walk, f, FTS_SKIP);
		if (visit(arg, f->fts_path, f->fts_path + strlen(start), f->fts_name, e) < 0)
			rc = -1;
	}
	(void)fts_close(walk);
	return rc;
}

static int sweep(int root, const struct cgroup_found *f, struct err *e)
{
	int rc = 0;

	for (int i = 0; i < f->n; i++)
		if (cgroup_walk(root, f->places[i].mount, sweep_one, NULL, e) < 0)
			rc = -1;
	return rc;
}

int cgroup_host_sweep(struct err *e)
{
	struct cgroup_found f;
	AUTO_CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open /");
	return cgroup_find(root, &f, e) < 0 ? -1 : sweep(root, &f, e);
}

/* The limit is promised to include kernel memory and sockets; two words on the kernel's command line switch that off. */
static int check_accounting(int root, struct err *e)
{
	char line[4096];
	AUTO_CLOSE int fd = openat(root, "proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open /proc/cmdline");
	if (cgroup_dir_pread(fd, line, sizeof(line), e) < 0)
		return -1;
	for (const char *p = line; (p = strstr(p, "cgroup.memory=")); p++) {
		size_t len = strcspn(p, " ");

		if (memmem(p, len, "nokmem", 6) || memmem(p, len, "nosocket", 8))
			return err_set(e,
				       "kernel memory is not counted: the kernel was booted with "
				       "'%.*s', boot without it",
				       (int)len, p);
	}
	return 0;
}

static void host_init(struct cgroup_host *h)
{
	*h = (struct cgroup_host){.devices_program = -1};
	for (int i = 0; i < CGROUP_TREES; i++)
		h->trees[i].parent = h->trees[i].dir = -1;
}

int cgroup_host_open_at(struct cgroup_host *h, int root, struct err *e)
{
	struct cgroup_found f;
	struct err later;

	host_init(h);
	if (cgroup_find(root, &f, e) < 0 || check_accounting(root, e) < 0)
		return -1;
	h->ops = f.version == 2 ? &cgroup_v2_ops : &cgroup_v1_ops;
	if (h->ops->place(h, root, &f, e) < 0) {
		(void)cgroup_host_close(h, &later);
		return -1;
	}
	/* Garbage that cannot be removed (a process stuck in the kernel) does no harm to this instance. */
	if (sweep_beside(h, &later) < 0)
		log_event(LOG_WARN, "stale_cgroup_kept", "error=%s", log_q(later.msg));
	if (trees_open(h, e) == 0 && h->ops->prepare(h, e) == 0) {
		struct err none;

		h->swap = cgroup_no_swap("", &none) < 0;
		return 0;
	}
	(void)cgroup_host_close(h, &later);
	return -1;
}

int cgroup_host_open(struct cgroup_host *h, struct err *e)
{
	AUTO_CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open /");
	return cgroup_host_open_at(h, root, e) < 0 ? err_wrap(e, "cgroup") : 0;
}

/* Everything in our folders but the leaf this process may live in. */
static int cells_remove(const struct cgroup_host *h, struct err *e)
{
	int rc = 0;

	for (int i = 0; i < h->ntrees; i++)
		if (h->trees[i].dir >= 0 &&
		    cgroup_dir_remove_children(h->trees[i].dir, h->moved ? "self" : "", REMOVE_MS,
					       e) < 0)
			rc = -1;
	return rc;
}

int cgroup_host_close(struct cgroup_host *h, struct err *e)
{
	int rc = 0;

	if (!h->ops)
		return 0;
	if (cells_remove(h, e) < 0)
		rc = -1;
	if (h->ops->undo(h, e) < 0 || trees_remove(h, e) < 0)
		rc = -1;
	for (int i = 0; i < h->ntrees; i++) {
		scope_close(&h->trees[i].dir);
		scope_close(&h->trees[i].parent);
	}
	scope_close(&h->devices_program);
	host_init(h);
	return rc < 0 ? err_wrap(e, "cgroup") : 0;
}

void cgroup_host_describe(const struct cgroup_host *h, char *text, size_t len)
{
	size_t used =
		(size_t)snprintf(text, len, "%s%s:", h->ops->name, h->hybrid ? " (hybrid)" : "");

	for (int c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((h->controllers & 1U << c) && used < len)
			used += (size_t)snprintf(text + used, len - used, " %s",
						 cgroup_controller_name((enum cgroup_controller)c));
	if (used < len)
		snprintf(text + used, len - used, ", %s",
			 h->swap ? "swap limited to 0" : "no swap on this machine");
}
