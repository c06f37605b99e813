#include "sandbox/oci_layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/library.h"
#include "sandbox/tree.h"

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"
#define BLOCK    65536

/* It brings a dozen libraries along, so only a process that unpacks loads it. */
#define CALLS(X)                                                                                   \
	X(archive_entry_filetype)                                                                  \
	X(archive_entry_hardlink)                                                                  \
	X(archive_entry_mtime)                                                                     \
	X(archive_entry_mtime_nsec)                                                                \
	X(archive_entry_pathname)                                                                  \
	X(archive_entry_perm)                                                                      \
	X(archive_entry_size)                                                                      \
	X(archive_entry_symlink)                                                                   \
	X(archive_error_string)                                                                    \
	X(archive_filter_bytes)                                                                    \
	X(archive_filter_code)                                                                     \
	X(archive_filter_count)                                                                    \
	X(archive_read_data_block)                                                                 \
	X(archive_read_free)                                                                       \
	X(archive_read_new)                                                                        \
	X(archive_read_next_header)                                                                \
	X(archive_read_open)                                                                       \
	X(archive_read_support_filter_gzip)                                                        \
	X(archive_read_support_filter_zstd)                                                        \
	X(archive_read_support_format_tar)                                                         \
	X(archive_set_error)

static struct {
	CALLS(LIBRARY_POINTER)
} lib;

#define AS_ROW(name) {#name, &lib.name},
static const struct library_symbol calls[] = {CALLS(AS_ROW)};

int oci_layer_load(struct err *e)
{
	static struct library archive = {"libarchive.so.13", "libarchive13", calls,
					 ARRAY_LEN(calls), 0};

	return library_load(&archive, e) < 0 ? err_wrap(e, "OCI images") : 0;
}

/* One reading of the blob from its beginning to its end. */
struct pass {
	const struct oci_layer *layer;
	int blob, tree;
	struct oci_budget budget;
	uint64_t stream_max; /* of the archive when it is not compressed any more */
	uint64_t seen;
	struct digest digest;
	struct err why; /* of a read that failed */
	char block[BLOCK];
};

struct item {
	struct archive *archive;
	struct archive_entry *entry;
	char path[TREE_PATH_BYTES];
	const char *base; /* inside path */
	uint64_t size;
};

typedef int item_fn(struct pass *p, struct item *i, struct err *e);

static la_ssize_t read_block(struct archive *a, void *arg, const void **out)
{
	struct pass *p = arg;
	ssize_t n = read(p->blob, p->block, sizeof(p->block));

	*out = p->block;
	if (n < 0)
		err_sys(&p->why, "read");
	else if (n == 0 || digest_add(&p->digest, p->block, (size_t)n, &p->why) == 0)
		p->seen += (uint64_t)n;
	if (p->why.msg[0] == '\0')
		return n;
	lib.archive_set_error(a, EIO, "%s", p->why.msg);
	return -1;
}

static int complain(struct archive *a, struct err *e)
{
	const char *text = lib.archive_error_string(a);

	return err_set(e, "the archive: %.150s", text ? text : "cannot be read");
}

/* libarchive takes what it finds; it must be what the media type says. */
static int check_compression(const struct pass *p, struct archive *a, struct err *e)
{
	static const int codes[] = {[OCI_PLAIN] = ARCHIVE_FILTER_NONE,
				    [OCI_GZIP] = ARCHIVE_FILTER_GZIP,
				    [OCI_ZSTD] = ARCHIVE_FILTER_ZSTD};
	int layers = p->layer->compression == OCI_PLAIN ? 1 : 2;

	if (lib.archive_filter_code(a, 0) != codes[p->layer->compression] ||
	    lib.archive_filter_count(a) != layers)
		return err_set(e, "mediaType: the blob is compressed in another way");
	return 0;
}

/* A folder called like a whiteout would hide itself. */
static int has_whiteout_folder(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, WHITEOUT, strlen(WHITEOUT)) == 0 && strchr(p, '/'))
			return 1;
	}
	return 0;
}

static int take_budget(struct pass *p, struct item *i, struct err *e)
{
	la_int64_t size = lib.archive_entry_size(i->entry);

	if (size < 0)
		return err_set(e, "%.100s: its size is negative", i->path);
	i->size = lib.archive_entry_hardlink(i->entry) ? 0 : (uint64_t)size;
	if (p->budget.entries-- == 0) {
		p->budget.entries = 0;
		return err_set(e, "more files than the limit allows");
	}
	if (i->size > p->budget.bytes ||
	    (uint64_t)lib.archive_filter_bytes(i->archive, 0) > p->stream_max)
		return err_set(e, "%.100s: more bytes than the limit allows", i->path);
	p->budget.bytes -= i->size;
	return 0;
}

static int prepare_item(struct pass *p, struct item *i, struct err *e)
{
	const char *given = lib.archive_entry_pathname(i->entry);
	const char *slash;

	if (!given)
		return err_set(e, "a name is not UTF-8");
	if (tree_normalise(given, i->path, e) < 0)
		return -1;
	slash = strrchr(i->path, '/');
	i->base = slash ? slash + 1 : i->path;
	if (has_whiteout_folder(i->path))
		return err_set(e, "%.100s: a folder cannot be called like a whiteout", i->path);
	return take_budget(p, i, e);
}

static int each_item(struct pass *p, struct archive *a, item_fn *fn, struct err *e)
{
	int first = 1;

	for (;; first = 0) {
		struct item i = {.archive = a};
		int result = lib.archive_read_next_header(a, &i.entry);

		if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
			return complain(a, e);
		if (first && check_compression(p, a, e) < 0)
			return -1;
		if (result == ARCHIVE_EOF)
			return 0;
		if (prepare_item(p, &i, e) < 0 || fn(p, &i, e) < 0)
			return -1;
	}
}

/* What comes behind the end of the archive belongs to the digest. */
static int check_digest(struct pass *p, struct err *e)
{
	char hex[DIGEST_HEX];
	const void *ignored;
	struct archive *a = lib.archive_read_new();
	la_ssize_t n;

	if (!a)
		return err_set(e, "out of memory");
	do
		n = read_block(a, p, &ignored);
	while (n > 0);
	(void)lib.archive_read_free(a);
	if (n < 0) {
		*e = p->why;
		return -1;
	}
	if (p->seen != p->layer->size)
		return err_set(e, "size: is %llu, the descriptor says %llu",
			       (unsigned long long)p->seen, (unsigned long long)p->layer->size);
	if (digest_close(&p->digest, hex, e) < 0)
		return -1;
	return strcmp(hex, p->layer->digest) == 0 ? 0 : err_set(e, "digest: is sha256:%s", hex);
}

static int run_pass(struct pass *p, item_fn *fn, struct err *e)
{
	struct archive *a = lib.archive_read_new();
	int status;

	p->seen = 0;
	p->why = (struct err){0};
	if (!a || lseek(p->blob, 0, SEEK_SET) < 0 || digest_open(&p->digest, e) < 0) {
		(void)lib.archive_read_free(a);
		return err_set(e, "cannot begin to read it");
	}
	if (lib.archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    (p->layer->compression == OCI_GZIP &&
	     lib.archive_read_support_filter_gzip(a) != ARCHIVE_OK) ||
	    (p->layer->compression == OCI_ZSTD &&
	     lib.archive_read_support_filter_zstd(a) != ARCHIVE_OK) ||
	    lib.archive_read_open(a, p, NULL, read_block, NULL) != ARCHIVE_OK)
		status = complain(a, e);
	else
		status = each_item(p, a, fn, e);
	(void)lib.archive_read_free(a);
	if (status == 0)
		status = check_digest(p, e);
	digest_drop(&p->digest);
	return status;
}

/* First pass: what the layer takes away from those below it. */
static int apply_whiteout(struct pass *p, struct item *i, struct err *e)
{
	const char *base;
	const char *name = i->base + strlen(WHITEOUT);
	AUTO_CLOSE int parent = -1;

	if (strncmp(i->base, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	if (strcmp(name, "") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, "%.100s: is a whiteout of no name", i->path);
	parent = tree_parent(p->tree, i->path, 0, &base, e);
	if (parent < 0)
		return e->num == ENOENT || e->num == ENOTDIR ? 0 : -1;
	return strcmp(i->base, OPAQUE) == 0 ? tree_empty(parent, e) : tree_remove(parent, name, e);
}

static int write_block(int fd, const char *data, size_t len, la_int64_t at, struct err *e)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, at);

		if (n <= 0)
			return err_sys(e, "write");
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

static int write_content(const struct item *i, int fd, struct err *e)
{
	const void *data;
	size_t len;
	la_int64_t at;
	int result;

	while ((result = lib.archive_read_data_block(i->archive, &data, &len, &at)) == ARCHIVE_OK) {
		if (at < 0 || (uint64_t)at > i->size || len > i->size - (uint64_t)at)
			return err_set(e, "%.100s: has more bytes than it says", i->path);
		if (write_block(fd, data, len, at, e) < 0)
			return err_wrap(e, "%.100s", i->path);
	}
	if (result != ARCHIVE_EOF)
		return complain(i->archive, e);
	return ftruncate(fd, (off_t)i->size) < 0 ? err_sys(e, "%.100s", i->path) : 0;
}

static int make_file(const struct item *i, int parent, struct err *e)
{
	mode_t mode = lib.archive_entry_perm(i->entry) & 0111 ? 0755 : 0644;
	struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT},
		{lib.archive_entry_mtime(i->entry), lib.archive_entry_mtime_nsec(i->entry)}};
	AUTO_CLOSE int fd =
		openat(parent, i->base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "create %.100s", i->path);
	if (write_content(i, fd, e) < 0)
		return -1;
	if (fchmod(fd, mode) < 0 || futimens(fd, times) < 0)
		return err_sys(e, "%.100s", i->path);
	return 0;
}

static int make_symlink(const struct item *i, int parent, struct err *e)
{
	const char *text = lib.archive_entry_symlink(i->entry);

	if (!text || !*text || strlen(text) >= TREE_PATH_BYTES)
		return err_set(e, "%.100s: where the link leads is not said", i->path);
	return symlinkat(text, parent, i->base) < 0 ? err_sys(e, "symlink %.100s", i->path) : 0;
}

/* To a file or a link that is in the tree already; linkat(2) does not follow it. */
static int make_hard_link(const struct pass *p, const struct item *i, int parent, struct err *e)
{
	char path[TREE_PATH_BYTES];
	const char *base;
	struct stat st;

	if (tree_normalise(lib.archive_entry_hardlink(i->entry), path, e) < 0)
		return err_wrap(e, "%.100s: hard link", i->path);
	if (path[0] == '\0' || strcmp(path, i->path) == 0)
		return err_set(e, "%.100s: is a hard link to itself or to the root", i->path);
	AUTO_CLOSE int from = tree_parent(p->tree, path, 0, &base, e);

	if (from < 0)
		return err_wrap(e, "%.100s: hard link", i->path);
	if (fstatat(from, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%.100s: hard link to %.60s", i->path, path);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(e, "%.100s: is a hard link to a folder", i->path);
	if (tree_remove(parent, i->base, e) < 0)
		return -1;
	return linkat(from, base, parent, i->base, 0) < 0 ? err_sys(e, "link %.100s", i->path) : 0;
}

static int make_folder(const struct item *i, int parent, struct err *e)
{
	struct stat st;

	if (fstatat(parent, i->base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		if (tree_remove(parent, i->base, e) < 0)
			return -1;
	}
	return mkdirat(parent, i->base, 0755) < 0 ? err_sys(e, "mkdir %.100s", i->path) : 0;
}

static int make_other(const struct item *i, int parent, struct err *e)
{
	switch (lib.archive_entry_filetype(i->entry)) {
	case AE_IFREG:
		return make_file(i, parent, e);
	case AE_IFLNK:
		return make_symlink(i, parent, e);
	default: /* devices, pipes, sockets: left out */
		return 0;
	}
}

/* Second pass: what the layer adds or replaces. */
static int unpack_item(struct pass *p, struct item *i, struct err *e)
{
	int is_folder = lib.archive_entry_filetype(i->entry) == AE_IFDIR;
	int is_link = lib.archive_entry_hardlink(i->entry) != NULL;
	const char *base;

	if (strncmp(i->base, WHITEOUT, strlen(WHITEOUT)) == 0)
		return 0;
	if (i->path[0] == '\0')
		return is_folder && !is_link ? 0 : err_set(e, "the root is not a folder");
	AUTO_CLOSE int parent = tree_parent(p->tree, i->path, 1, &base, e);

	if (parent < 0)
		return -1;
	if (is_link)
		return make_hard_link(p, i, parent, e);
	if (is_folder)
		return make_folder(i, parent, e);
	if (tree_remove(parent, i->base, e) < 0)
		return -1;
	return make_other(i, parent, e);
}

int oci_layer_apply(const struct oci_layer *l, int blob, int tree, struct oci_budget *budget,
		    struct err *e)
{
	AUTO_FREE struct pass *p = malloc(sizeof(*p));

	if (!p)
		return err_set(e, "out of memory");
	*p = (struct pass){.layer = l, .blob = blob, .tree = tree, .budget = *budget};
	/* Headers and padding take at most some KiB an entry; pax headers that never end take more. */
	if (__builtin_mul_overflow(budget->entries, 8192, &p->stream_max) ||
	    __builtin_add_overflow(p->stream_max, budget->bytes, &p->stream_max))
		p->stream_max = UINT64_MAX;
	if (run_pass(p, apply_whiteout, e) < 0)
		return -1;
	p->budget = *budget;
	if (run_pass(p, unpack_item, e) < 0)
		return -1;
	*budget = p->budget;
	return 0;
}
