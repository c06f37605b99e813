#include "sandbox/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/mounts.h"
#include "sandbox/rule_file.h"
#include "sandbox/tree.h"

#define ROOT_TEXT_MAX 65536
#define STAGING       "/tmp" /* any folder will do, but /proc must stay uncovered until ours is mounted */

/* What libcyaml reads into; the fields are those of struct root_mount. */
struct row {
	enum root_type type;
	char *source;
	char *target;
	char *content;
	enum { NO, YES } optional;
};

struct file {
	char *name, *from;
	struct row *mounts;
	unsigned mounts_count;
};

static const cyaml_strval_t type_names[] = {
	{"bind", ROOT_BIND}, {"file", ROOT_FILE},   {"link", ROOT_LINK}, {"proc", ROOT_PROC},
	{"dev", ROOT_DEV},   {"tmpfs", ROOT_TMPFS}, {"box", ROOT_BOX},   {"program", ROOT_PROGRAM},
};

static const cyaml_strval_t no_yes[] = {{"false", NO}, {"true", YES}};

static const cyaml_schema_field_t row_fields[] = {
	CYAML_FIELD_ENUM("type", CYAML_FLAG_STRICT, struct row, type, type_names,
			 CYAML_ARRAY_LEN(type_names)),
	CYAML_FIELD_STRING_PTR("source", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct row,
			       source, 1, 4095),
	CYAML_FIELD_STRING_PTR("target", CYAML_FLAG_POINTER, struct row, target, 2, 4095),
	CYAML_FIELD_STRING_PTR("content", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct row,
			       content, 0, 4095),
	/* libcyaml would take any word but a few for true. */
	CYAML_FIELD_ENUM("optional", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct row, optional,
			 no_yes, CYAML_ARRAY_LEN(no_yes)),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t row_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct row, row_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct file, name, 1, 64),
	CYAML_FIELD_STRING_PTR("from", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, from,
			       1, 4095),
	CYAML_FIELD_SEQUENCE("mounts", CYAML_FLAG_POINTER, struct file, mounts, &row_schema, 1,
			     256),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

void root_mount_release(struct root_mount *m)
{
	free(m->source);
	free(m->target);
	free(m->content);
	*m = (struct root_mount){0};
}

int root_take(struct root *r, const struct root_mount *given, struct err *e)
{
	struct root_mount m = {.type = given->type, .optional = given->optional};
	struct root_mount *more;

	if (r->nmounts == ROOT_ROWS_MAX)
		return err_set(e, "more than %d mounts", ROOT_ROWS_MAX);
	more = realloc(r->mounts, (r->nmounts + 1) * sizeof(m));
	if (!more)
		return err_set(e, "out of memory");
	r->mounts = more;
	m.source = given->source ? strdup(given->source) : NULL;
	m.content = given->content ? strdup(given->content) : NULL;
	m.target = strdup(given->target);
	if (!m.target || (given->source && !m.source) || (given->content && !m.content)) {
		root_mount_release(&m);
		return err_set(e, "out of memory");
	}
	r->mounts[r->nmounts++] = m;
	return 0;
}

static int take_file(struct root *r, const struct file *f, const char *name, struct err *e)
{
	if (strcmp(f->name, name) != 0)
		return err_set(e, "name: is '%s', must be '%s' as the file's", f->name, name);
	r->name = strdup(f->name);
	r->from = f->from ? strdup(f->from) : NULL;
	if (!r->name || (f->from && !r->from))
		return err_set(e, "out of memory");
	for (unsigned i = 0; i < f->mounts_count; i++) {
		const struct row *row = &f->mounts[i];
		struct root_mount m = {row->type, row->source, row->target, row->content,
				       row->optional == YES};

		if (root_take(r, &m, e) < 0)
			return -1;
	}
	return root_check(r, e);
}

int root_parse(struct root *r, const char *text, size_t len, const char *name, struct err *e)
{
	struct file *f = rule_file_parse(&file_schema, text, len, e);
	int status;

	if (!f)
		return -1;
	status = take_file(r, f, name, e);
	rule_file_free(&file_schema, f);
	return status;
}

int root_load(struct root *r, const char *dir, const char *name, struct err *e)
{
	char path[4096];
	size_t len;

	*r = (struct root){0};
	snprintf(path, sizeof(path), "%s/%s.yaml", dir, name);
	if (io_read_file(path, ROOT_TEXT_MAX, &r->text, &len, e) < 0)
		return -1;
	if (root_parse(r, r->text, len, name, e) < 0) {
		root_release(r);
		return err_wrap(e, "%s", path);
	}
	return 0;
}

void root_release(struct root *r)
{
	for (size_t i = 0; i < r->nmounts; i++)
		root_mount_release(&r->mounts[i]);
	free(r->mounts);
	free(r->name);
	free(r->text);
	free(r->from);
	free(r->digest);
	free(r->env);
	*r = (struct root){0};
}

int root_add(struct root *r, enum root_type type, const char *source, const char *target,
	     struct err *e)
{
	/* root_take() only reads it. */
	struct root_mount m = {.type = type, .source = (char *)source, .target = (char *)target};

	return root_take(r, &m, e);
}

void root_drop_host(struct root *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->nmounts; i++) {
		struct root_mount *m = &r->mounts[i];

		if (m->type == ROOT_BIND || m->type == ROOT_BIND_RW || m->type == ROOT_LINK)
			root_mount_release(m);
		else
			r->mounts[kept++] = *m;
	}
	r->nmounts = kept;
}

static int target_is_safe(const char *target)
{
	if (target[0] != '/' || target[1] == '\0' || target[strlen(target) - 1] == '/')
		return 0;
	for (const char *p = target; p; p = strchr(p + 1, '/'))
		if (strncmp(p, "//", 2) == 0 || strcmp(p, "/.") == 0 || strcmp(p, "/..") == 0 ||
		    strncmp(p, "/./", 3) == 0 || strncmp(p, "/../", 4) == 0)
			return 0;
	return 1;
}

static int check_row(const struct root_mount *m, struct err *e)
{
	int needs_source = m->type == ROOT_BIND || m->type == ROOT_BIND_RW || m->type == ROOT_LINK;

	if (!target_is_safe(m->target))
		return err_set(e, "target: '%s' must be an absolute path without '.', '..' or '//'",
			       m->target);
	if (needs_source != (m->source != NULL))
		return err_set(e, "%s: source is %s", m->target,
			       needs_source ? "missing" : "not used by this type");
	if (needs_source && m->type != ROOT_LINK && m->source[0] != '/')
		return err_set(e, "%s: source '%s' must be absolute", m->target, m->source);
	if ((m->type == ROOT_FILE) != (m->content != NULL))
		return err_set(e, "%s: content belongs to type file", m->target);
	return 0;
}

int root_check(const struct root *r, struct err *e)
{
	size_t count[ROOT_PROGRAM + 1] = {0};

	if (r->from && r->from[0] != '/')
		return err_set(e, "from: '%.100s' must be an absolute path", r->from);
	for (size_t i = 0; i < r->nmounts; i++) {
		if (check_row(&r->mounts[i], e) < 0)
			return -1;
		count[r->mounts[i].type]++;
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->mounts[k].target, r->mounts[i].target) == 0)
				return err_set(e, "target %s is there twice", r->mounts[i].target);
	}
	if (count[ROOT_PROC] != 1 || count[ROOT_DEV] != 1 || count[ROOT_BOX] != 1 ||
	    count[ROOT_PROGRAM] != 1)
		return err_set(e, "mounts: one each of type proc, dev, box and program is needed");
	return 0;
}

/*
 * The place in the root being built, made if it is not there, as a descriptor (O_PATH) that the caller owns.  Names are resolved
 * inside the new root: a link of an image leads to where it would lead a program, not to the host's files.
 */
static int make_point(int stage, const char *target, int is_folder, struct err *e)
{
	const char *base;
	struct stat st;
	AUTO_CLOSE int parent = tree_parent(stage, target + 1, 1, &base, e);
	int fd;

	if (parent < 0)
		return -1;
	if (fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode) != !!is_folder)
			return err_set(e, "there is something of another kind");
	} else if (is_folder) {
		if (mkdirat(parent, base, 0755) < 0)
			return err_sys(e, "mkdir");
	} else {
		AUTO_CLOSE int made = openat(
			parent, base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);

		if (made < 0)
			return err_sys(e, "create");
	}
	fd = openat(parent, base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open") : fd;
}

static int build_link(int stage, const char *text, const char *target, struct err *e)
{
	const char *base;
	AUTO_CLOSE int parent = tree_parent(stage, target + 1, 1, &base, e);

	if (parent < 0)
		return -1;
	return symlinkat(text, parent, base) < 0 ? err_sys(e, "symlink") : 0;
}

/* What a bind's source was when STAGING was not covered yet. */
struct origin {
	int tree; /* clone of the source's mount tree, -1 for a link or nothing */
	int is_folder;
	char link[4096];
};

static int open_origin(const struct root_mount *m, struct origin *o, struct err *e)
{
	struct stat st;
	ssize_t n;

	o->tree = -1;
	o->link[0] = '\0';
	if (m->type != ROOT_BIND && m->type != ROOT_BIND_RW)
		return 0;
	if (lstat(m->source, &st) < 0)
		return m->optional && errno == ENOENT ? 0 : err_sys(e, "%s", m->source);
	o->is_folder = S_ISDIR(st.st_mode);
	if (S_ISLNK(st.st_mode)) {
		n = readlink(m->source, o->link, sizeof(o->link) - 1);
		if (n < 0)
			return err_sys(e, "readlink %s", m->source);
		o->link[n] = '\0';
		return 0;
	}
	o->tree = mounts_clone(m->source, m->type == ROOT_BIND_RW ? MOUNTS_RW : MOUNTS_RO, e);
	return o->tree < 0 ? -1 : 0;
}

static int build_bind(int stage, const struct origin *o, const char *target, struct err *e)
{
	if (o->link[0])
		return build_link(stage, o->link, target, e);
	if (o->tree < 0)
		return 0;
	AUTO_CLOSE int point = make_point(stage, target, o->is_folder, e);

	return point < 0 ? -1 : mounts_attach_at(o->tree, point, e);
}

/* Over a file of an image, which is read-only: made beside the root's own files, then mounted on that place. */
static int cover_file(int stage, const char *content, const char *target, struct err *e)
{
	static const char name[] = ".file";
	AUTO_CLOSE int fd =
		openat(stage, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);

	if (fd < 0)
		return err_sys(e, "create");
	if (io_write_all(fd, content, strlen(content), e) < 0)
		return -1;
	AUTO_CLOSE int point = make_point(stage, target, 0, e);
	AUTO_CLOSE int tree = point < 0 ? -1 : mounts_clone(STAGING "/.file", MOUNTS_RO, e);

	if (tree < 0 || mounts_attach_at(tree, point, e) < 0)
		return -1;
	return unlinkat(stage, name, 0) < 0 ? err_sys(e, "unlink") : 0;
}

static int build_file(int stage, const char *content, const char *target, struct err *e)
{
	const char *base;
	AUTO_CLOSE int parent = tree_parent(stage, target + 1, 1, &base, e);

	if (parent < 0)
		return -1;
	AUTO_CLOSE int fd =
		openat(parent, base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);

	if (fd < 0)
		return errno == EEXIST ? cover_file(stage, content, target, e)
				       : err_sys(e, "create");
	return io_write_all(fd, content, strlen(content), e);
}

/* Device nodes cannot be made in a user namespace, so the host's are bound, one by one. */
static int build_dev(int stage, const char *target, struct err *e)
{
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom"};
	static const char *const links[][2] = {
		{"/proc/self/fd", "fd"},
		{"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"},
		{"/proc/self/fd/2", "stderr"},
	};
	char host[32];
	char node[4200];
	AUTO_CLOSE int folder = make_point(stage, target, 1, e);

	if (folder < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		snprintf(host, sizeof(host), "/dev/%s", nodes[i]);
		snprintf(node, sizeof(node), "%s/%s", target, nodes[i]);
		AUTO_CLOSE int tree = mounts_clone(host, MOUNTS_DEVICE, e);
		AUTO_CLOSE int point = tree < 0 ? -1 : make_point(stage, node, 0, e);

		if (point < 0 || mounts_attach_at(tree, point, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i][0], folder, links[i][1]) < 0)
			return err_sys(e, "symlink %s", links[i][1]);
	return 0;
}

static int build_proc(int stage, const char *target, struct err *e)
{
	AUTO_CLOSE int tree = mounts_new_proc(e);
	AUTO_CLOSE int point = tree < 0 ? -1 : make_point(stage, target, 1, e);

	return point < 0 ? -1 : mounts_attach_at(tree, point, e);
}

static int build_folder(int stage, const char *target, struct err *e)
{
	AUTO_CLOSE int point = make_point(stage, target, 1, e);

	return point < 0 ? -1 : 0;
}

static int build_row(int stage, const struct root_mount *m, const struct origin *o, struct err *e)
{
	switch (m->type) {
	case ROOT_BIND:
	case ROOT_BIND_RW:
		return build_bind(stage, o, m->target, e);
	case ROOT_FILE:
		return build_file(stage, m->content, m->target, e);
	case ROOT_LINK:
		return build_link(stage, m->source, m->target, e);
	case ROOT_PROC:
		return build_proc(stage, m->target, e);
	case ROOT_DEV:
		return build_dev(stage, m->target, e);
	default: /* the box's folders: box.c mounts on them */
		return build_folder(stage, m->target, e);
	}
}

static int build_rows(const struct root *r, const struct origin *origins, struct err *e)
{
	AUTO_CLOSE int tmpfs = mounts_new_tmpfs(
		&(struct mounts_tmpfs){.bytes = 4 << 20, .inodes = 2048, .mode = "0755"}, e);

	if (tmpfs < 0 || mounts_attach(tmpfs, STAGING, e) < 0)
		return -1;
	AUTO_CLOSE int stage = open(STAGING, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (stage < 0)
		return err_sys(e, "open " STAGING);
	for (size_t i = 0; i < r->nmounts; i++)
		if (build_row(stage, &r->mounts[i], &origins[i], e) < 0)
			return err_wrap(e, "%s", r->mounts[i].target);
	return 0;
}

int root_build(const struct root *r, struct err *e)
{
	AUTO_FREE struct origin *origins = calloc(r->nmounts, sizeof(*origins));
	mode_t mask = umask(0);
	int status = 0;

	if (!origins)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < r->nmounts; i++)
		origins[i].tree = -1;
	for (size_t i = 0; status == 0 && i < r->nmounts; i++)
		status = open_origin(&r->mounts[i], &origins[i], e);
	if (status == 0)
		status = build_rows(r, origins, e);
	for (size_t i = 0; i < r->nmounts; i++)
		if (origins[i].tree >= 0)
			(void)close(origins[i].tree);
	umask(mask);
	return status;
}

int root_enter(struct err *e)
{
	struct mount_attr attr = {.attr_set =
					  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

	if (chdir(STAGING) < 0)
		return err_sys(e, "chdir " STAGING);
	/* With both arguments "." the old root ends up on top of the new one: pivot_root(2), NOTES. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "detach the host's tree");
	if (chdir("/") < 0)
		return err_sys(e, "chdir /");
	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make / read-only");
	return 0;
}
