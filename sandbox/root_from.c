#include "sandbox/root_from.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/root.h"
#include "sandbox/root_image.h"

/* One call of root_use_folder(). */
struct use {
	struct root *root;              /* gets the folder's rows */
	const struct root_mount *rules; /* the rule's own rows */
	size_t nrules;
	const char *folder;
	int fd; /* of the folder */
};

/* Names at the top of a root file system that are the cell's own, or the host's business. */
static int is_own(const char *name)
{
	static const char *const own[] = {"proc", "sys", "dev", "tmp", "run", "box", "program"};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (strcmp(name, own[i]) == 0)
			return 1;
	return 0;
}

static int is_rule(const struct use *u, const char *target)
{
	for (size_t i = 0; i < u->nrules; i++)
		if (strcmp(u->rules[i].target, target) == 0)
			return 1;
	return 0;
}

static int is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

static int wants_folder(const struct root_mount *m)
{
	struct stat st;

	if (m->type == ROOT_FILE)
		return 0;
	if (m->type != ROOT_BIND && m->type != ROOT_BIND_RW)
		return 1;
	return stat(m->source, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Has the folder a place for this row?  Without links on the way, which might lead elsewhere in the cell. */
static int has_place(const struct use *u, const struct root_mount *m)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	struct stat st;
	AUTO_CLOSE int fd = -1;

	if (m->type == ROOT_LINK)
		return 0;
	if (m->type == ROOT_BIND && m->optional && access(m->source, F_OK) < 0)
		return 1;
	fd = (int)syscall(SYS_openat2, u->fd, m->target + 1, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	return S_ISDIR(st.st_mode) ? wants_folder(m) : S_ISREG(st.st_mode) && !wants_folder(m);
}

enum shape { WHOLE, IN_PARTS, NOT_AT_ALL };

/* How an entry of the folder gets into the table. */
static enum shape shape_of(const struct use *u, const char *target, const struct stat *st)
{
	enum shape shape = WHOLE;

	if (is_rule(u, target))
		return NOT_AT_ALL;
	/* A link stays one: rows that go through it find their place behind it, or the cell says that there is none. */
	if (!S_ISDIR(st->st_mode))
		return WHOLE;
	for (size_t i = 0; i < u->nrules; i++)
		if (is_below(u->rules[i].target, target) && !has_place(u, &u->rules[i]))
			shape = IN_PARTS;
	return shape;
}

/* NOLINTNEXTLINE(misc-no-recursion): never deeper than the targets of the rule */
static int add_entries(struct use *u, const char *below, struct err *e)
{
	char path[4096];
	struct dirent **entries = NULL;
	int n;
	int status = 0;

	snprintf(path, sizeof(path), "%s%s", u->folder, below);
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return err_sys(e, "read %.150s", path);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char source[4096 + 300], target[4096 + 300];
		struct stat st;
		enum shape shape;

		snprintf(source, sizeof(source), "%s/%s", path, name);
		snprintf(target, sizeof(target), "%s/%s", below, name);
		if (status < 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (!*below && is_own(name)) || lstat(source, &st) < 0) {
			free(entries[i]);
			continue;
		}
		shape = shape_of(u, target, &st);
		if (shape == WHOLE)
			status = root_add(u->root, ROOT_BIND, source, target, e);
		else if (shape == IN_PARTS)
			status = add_entries(u, target, e);
		free(entries[i]);
	}
	free(entries);
	return status;
}

int root_use_folder(struct root *r, const char *folder, struct err *e)
{
	struct root rules = *r;
	struct use u = {
		.root = r, .rules = rules.mounts, .nrules = rules.nmounts, .folder = folder};
	AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status;

	if (fd < 0)
		return err_sys(e, "open %.150s", folder);
	u.fd = fd;
	/* The folder's own rows come first: what the rule mounts lies on top. */
	r->mounts = NULL;
	r->nmounts = 0;
	status = add_entries(&u, "", e);
	for (size_t i = 0; i < rules.nmounts; i++) {
		if (status == 0)
			status = root_take(r, &rules.mounts[i], e);
		root_mount_release(&rules.mounts[i]);
	}
	free(rules.mounts);
	return status;
}

static int use_layout(struct root *r, const char *path, const struct root_cache_options *cache,
		      struct err *e)
{
	AUTO_FREE struct root_cache_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return err_set(e, "out of memory");
	if (root_cache_get(cache, path, entry, e) < 0)
		return -1;
	r->env = malloc(entry->env.len + 1);
	r->digest = strdup(entry->digest);
	if (!r->env || !r->digest)
		return err_set(e, "out of memory");
	memcpy(r->env, entry->env.text, entry->env.len);
	r->env_len = entry->env.len;
	return root_use_folder(r, entry->path, e);
}

static int use_image(struct root *r, int fd, const struct root_cache_options *cache, struct err *e)
{
	char dir[PATH_MAX], path[PATH_MAX + 16];
	const char *type = root_image_type(fd);

	if (!type)
		return err_set(e, "is no folder, no squashfs or erofs image and no OCI layout");
	/* First: a refusal leaves no folder. */
	if (root_image_allowed(e) < 0 ||
	    root_cache_folder(cache, "mounts", dir, sizeof(dir), e) < 0 ||
	    root_image_mount(fd, type, dir, path, sizeof(path), e) < 0)
		return -1;
	return root_use_folder(r, path, e);
}

static int use(struct root *r, const char *path, const struct root_cache_options *cache,
	       struct err *e)
{
	struct stat st;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		errno = fd < 0 ? errno : EIO;
		return err_sys(e, "open");
	}
	if (S_ISREG(st.st_mode))
		return use_image(r, fd, cache, e);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, "is neither a folder nor a file");
	if (faccessat(fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return use_layout(r, path, cache, e);
	return root_use_folder(r, path, e);
}

int root_use_from(struct root *r, const struct root_cache_options *cache, struct err *e)
{
	AUTO_FREE char *path = r->from ? realpath(r->from, NULL) : NULL;

	if (!r->from)
		return 0;
	if (!path)
		return err_sys(e, "%.150s", r->from);
	if (use(r, path, cache, e) < 0)
		return err_wrap(e, "%.100s", path);
	return root_check(r, e);
}
