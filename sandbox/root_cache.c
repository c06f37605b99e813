#include "sandbox/root_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/ids.h"
#include "sandbox/rights.h"
#include "sandbox/tree.h"
#include "sandbox/unpack.h"

#define BYTES_DEFAULT   (32ULL << 30)
#define ENTRIES_DEFAULT 1000000
#define NEW             ".new-"
#define SEAL_BYTES      (2UL * DIGEST_HEX)
#define CACHE_DIR_MAX   64

/* One call of root_cache_get(). */
struct work {
	const struct root_cache_options *o;
	int cache, layout;
	struct root_cache_entry *entry;
	char name[DIGEST_HEX + 8]; /* of the entry in the cache */
};

/* mkdir -p; only what is made here gets a mode. */
static int make_folders(const char *dir, struct err *e)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", dir) >= (int)sizeof(part))
		return err_set(e, "the path is too long");
	for (char *p = strchr(part + 1, '/');; p = strchr(p + 1, '/')) {
		if (p)
			*p = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "mkdir %s", part);
		if (!p)
			return 0;
		*p = '/';
	}
}

static const char *cache_dir(const struct root_cache_options *o, char text[CACHE_DIR_MAX])
{
	if (o->dir || rights_user() == 0)
		return o->dir ? o->dir : ROOT_CACHE_DIR;
	snprintf(text, CACHE_DIR_MAX, ROOT_CACHE_DIR_OF, rights_user());
	return text;
}

/* Opens a folder that belongs to us and that nobody else may write to. */
static int open_own(const char *dir, int flags, struct err *e)
{
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", dir);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(e, "%s: must belong to user %u, and nobody else may write to it",
			       dir, rights_user() ? rights_user() : geteuid());
	return fd_steal(&fd);
}

/* Anybody may have made a plain user's folder in /var/tmp, and could put another cache into it at any time. */
static int check_above(const char *dir, struct err *e)
{
	char above[CACHE_DIR_MAX];

	snprintf(above, sizeof(above), "%s", dir);
	*strrchr(above, '/') = '\0';
	AUTO_CLOSE int fd = open_own(above, O_NOFOLLOW, e);

	return fd < 0 ? -1 : 0;
}

static int open_cache(const struct root_cache_options *o, struct err *e)
{
	char text[CACHE_DIR_MAX];
	const char *dir = cache_dir(o, text);

	if (make_folders(dir, e) < 0 || (dir == text && check_above(dir, e) < 0))
		return -1;
	return open_own(dir, 0, e);
}

static int open_folder(int parent, const char *name, struct err *e)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "%.100s", name) : fd;
}

static int read_small(int folder, const char *name, size_t max, char **text, size_t *len,
		      struct err *e)
{
	AUTO_CLOSE int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", name);
	return io_read_fd(fd, max, text, len, e);
}

static int write_small(int folder, const char *name, const void *data, size_t len, struct err *e)
{
	AUTO_CLOSE int fd =
		openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_sys(e, "create %s", name);
	return io_write_all(fd, data, len, e);
}

/* What the file "seal" of an entry must say now. */
static int make_seal(int tree, const struct oci_env *env, char seal[SEAL_BYTES], struct err *e)
{
	char of_tree[DIGEST_HEX], of_env[DIGEST_HEX];

	if (tree_seal(tree, of_tree, e) < 0 || digest_of(env->text, env->len, of_env, e) < 0)
		return -1;
	snprintf(seal, SEAL_BYTES, "%s %s", of_tree, of_env);
	return 0;
}

static int read_env(int folder, struct oci_env *env, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;

	if (read_small(folder, "env", OCI_ENV_BYTES, &text, &len, e) < 0 || !text)
		return -1;
	if (len > 0 && text[len - 1] != '\0')
		return err_set(e, "env: is cut off");
	memcpy(env->text, text, len);
	env->len = len;
	return 0;
}

/* 0 if the entry is there and whole. */
static int check_entry(struct work *w, struct err *e)
{
	char seal[SEAL_BYTES];
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	AUTO_CLOSE int folder = open_folder(w->cache, w->name, e);

	if (folder < 0)
		return -1;
	AUTO_CLOSE int tree = open_folder(folder, "root", e);

	if (tree < 0 || read_env(folder, &w->entry->env, e) < 0 ||
	    read_small(folder, "seal", SEAL_BYTES, &text, &len, e) < 0 ||
	    make_seal(tree, &w->entry->env, seal, e) < 0)
		return -1;
	return text && strcmp(text, seal) == 0 ? 0
					       : err_set(e, "was changed since it was unpacked");
}

/* Of processes that died: whoever holds the lock is the only one at work. */
static int remove_leftovers(int cache, struct err *e)
{
	struct dirent **entries = NULL;
	int n = scandirat(cache, ".", &entries, NULL, alphasort);
	int status = n < 0 ? err_sys(e, "read the cache") : 0;

	for (int i = 0; i < n; i++) {
		if (status == 0 && strncmp(entries[i]->d_name, NEW, strlen(NEW)) == 0)
			status = tree_remove(cache, entries[i]->d_name, e);
		free(entries[i]);
	}
	free(entries);
	return status;
}

/* Unpacks into folder/root as somebody else, then takes it over. */
static int fill(struct work *w, int folder, uid_t uid, struct err *e)
{
	struct unpack u = {.layout = w->layout, .uid = uid, .budget = w->o->budget};
	AUTO_FREE struct unpack_result *r = calloc(1, sizeof(*r));
	char seal[SEAL_BYTES];

	if (!r)
		return err_set(e, "out of memory");
	if (mkdirat(folder, "root", 0755) < 0)
		return err_sys(e, "mkdir root");
	AUTO_CLOSE int tree = open_folder(folder, "root", e);

	if (tree < 0)
		return -1;
	if (fchmod(tree, 0755) < 0 || fchown(tree, uid, (gid_t)-1) < 0)
		return err_sys(e, "chown root");
	if (!u.budget.bytes)
		u.budget.bytes = BYTES_DEFAULT;
	if (!u.budget.entries)
		u.budget.entries = ENTRIES_DEFAULT;
	u.tree = tree;
	if (unpack_run(&u, r, e) < 0)
		return -1;
	if (strcmp(r->image.digest, w->entry->digest) != 0)
		return err_set(e, "index.json was changed meanwhile");
	w->entry->env = r->env;
	if (tree_adopt(tree, uid, e) < 0 || make_seal(tree, &r->env, seal, e) < 0 ||
	    write_small(folder, "env", r->env.text, r->env.len, e) < 0 ||
	    write_small(folder, "seal", seal, strlen(seal), e) < 0)
		return -1;
	/* The name must not reach the disk before the bytes. */
	return syncfs(folder) < 0 ? err_sys(e, "syncfs") : 0;
}

static int publish(struct work *w, const char *temporary, int folder, struct err *e)
{
	if (fchmod(folder, 0755) < 0)
		return err_sys(e, "chmod");
	if (tree_remove(w->cache, w->name, e) < 0)
		return -1;
	if (renameat(w->cache, temporary, w->cache, w->name) < 0)
		return err_sys(e, "rename to %s", w->name);
	return fsync(w->cache) < 0 ? err_sys(e, "fsync") : 0;
}

static int make_entry_as(struct work *w, uid_t uid, struct err *e)
{
	char temporary[32];
	struct err ignored;
	int status;

	snprintf(temporary, sizeof(temporary), NEW "%d", (int)getpid());
	if (remove_leftovers(w->cache, e) < 0)
		return -1;
	if (mkdirat(w->cache, temporary, 0700) < 0)
		return err_sys(e, "mkdir %s", temporary);
	AUTO_CLOSE int folder = open_folder(w->cache, temporary, e);

	status = folder < 0 ? -1 : fill(w, folder, uid, e);
	if (status == 0)
		status = publish(w, temporary, folder, e);
	if (status < 0)
		(void)tree_remove(w->cache, temporary, &ignored);
	return status;
}

static int make_entry(struct work *w, struct err *e)
{
	struct ids ids;
	int status;

	if (ids_claim(&ids, w->o->ids_base, w->o->ids_count, e) < 0)
		return -1;
	status = make_entry_as(w, ids.program, e);
	ids_release(&ids);
	return status;
}

static int lock(int cache, int how, struct err *e)
{
	return flock(cache, how) < 0 ? err_sys(e, "lock the cache") : 0;
}

static int get(struct work *w, struct err *e)
{
	struct err missing;

	if (lock(w->cache, LOCK_SH, e) < 0)
		return -1;
	if (check_entry(w, &missing) == 0)
		return 0;
	/* Another may have made it between the two locks. */
	if (lock(w->cache, LOCK_EX, e) < 0)
		return -1;
	if (check_entry(w, &missing) == 0)
		return 0;
	return make_entry(w, e);
}

/* Which image it is; by a child without rights, as all reading of the layout. */
static int find(struct work *w, struct err *e)
{
	struct unpack u = {.layout = w->layout, .tree = -1};
	AUTO_FREE struct unpack_result *r = calloc(1, sizeof(*r));
	struct ids ids;
	int status;

	if (!r)
		return err_set(e, "out of memory");
	if (ids_claim(&ids, w->o->ids_base, w->o->ids_count, e) < 0)
		return -1;
	u.uid = ids.program;
	status = unpack_run(&u, r, e);
	ids_release(&ids);
	if (status < 0)
		return -1;
	memcpy(w->entry->digest, r->image.digest, DIGEST_HEX);
	return 0;
}

int root_cache_get(const struct root_cache_options *o, const char *layout,
		   struct root_cache_entry *entry, struct err *e)
{
	struct work w = {.o = o, .entry = entry};
	AUTO_CLOSE int folder = open(layout, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return err_sys(e, "%.150s", layout);
	AUTO_CLOSE int cache = open_cache(o, e);

	if (cache < 0)
		return err_wrap(e, "cache of roots");
	w.layout = folder;
	w.cache = cache;
	if (find(&w, e) < 0)
		return -1;
	char inside[sizeof(w.name) + 8];

	snprintf(w.name, sizeof(w.name), "sha256-%s", entry->digest);
	snprintf(inside, sizeof(inside), "%s/root", w.name);
	if (root_cache_folder(o, inside, entry->path, sizeof(entry->path), e) < 0)
		return -1;
	return get(&w, e);
}

int root_cache_folder(const struct root_cache_options *o, const char *name, char *out, size_t size,
		      struct err *e)
{
	char text[CACHE_DIR_MAX];
	AUTO_CLOSE int cache = open_cache(o, e);
	AUTO_FREE char *dir = cache < 0 ? NULL : realpath(cache_dir(o, text), NULL);

	if (!dir)
		return cache < 0 ? err_wrap(e, "cache of roots") : err_sys(e, "cache of roots");
	if (snprintf(out, size, "%s/%s", dir, name) >= (int)size)
		return err_set(e, "cache of roots: the path is too long");
	return 0;
}
