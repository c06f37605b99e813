#include "judge/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <locale.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "judge/names.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define MIB       (1ULL << 20)
#define BLOCK     65536
#define PATH_MOST 1024

const struct unpack_limits unpack_package_limits = {
	.entries = 50000,
	.file_bytes = 256 * MIB,
	.total_bytes = 4096 * MIB,
	.free_bytes = 256 * MIB,
	.ratio = 200,
};

struct unpacking {
	const struct unpack_limits *limits;
	struct archive *archive;
	struct archive_entry *entry;
	int folder;
	uint32_t entries;
	uint64_t archive_bytes, bytes; /* of the archive; unpacked so far */
	char path[PATH_MOST + 1];      /* of the entry, as it is made */
	char shown[160];               /* the same for messages */
};

int unpack_is_archive(const char *name)
{
	const char *extension = names_extension(name);

	return strcasecmp(extension, "zip") == 0 || strcasecmp(extension, "kpp") == 0;
}

/*
 * Each entry has its signature in the file, so these bound what libarchive will hold in memory before it shows the first.
 * Compressed bytes look like one by chance once in 4 GiB; hence the double.
 */
static int count_entries(int fd, const struct unpack_limits *l, struct err *e)
{
	static const char signature[] = "PK\001\002";
	char block[BLOCK + 3];
	uint64_t found = 0;
	size_t kept = 0;
	ssize_t n;

	while ((n = read(fd, block + kept, BLOCK)) > 0) {
		size_t len = kept + (size_t)n;
		const char *at = block;

		while ((at = memmem(at, len - (size_t)(at - block), signature, 4))) {
			at += 4;
			found++;
		}
		kept = len < 3 ? len : 3;
		memmove(block, block + len - kept, kept);
	}
	if (n < 0)
		return err_sys(e, "read");
	return found > 2ULL * l->entries ? err_set(e, "has more than %u entries", l->entries) : 0;
}

static int complain(struct unpacking *u, const char *what, struct err *e)
{
	const char *text = archive_error_string(u->archive);

	return err_set(e, "%s: %.120s", what, text ? text : "the archive is damaged");
}

static int check_component(const char *name, size_t len, struct err *e)
{
	if (len == 0 || (len <= 2 && strncmp(name, "..", len) == 0))
		return err_set(e, "\"..\", \".\" and empty names are not allowed");
	if (len > 255)
		return err_set(e, "a name is longer than 255 bytes");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '\\')
			return err_set(e, "control characters and \"\\\" are not allowed");
	return 0;
}

/* Fills u->path: components separated by single slashes, none at the end. */
static int take_path(struct unpacking *u, struct err *e)
{
	const char *given = archive_entry_pathname(u->entry);
	size_t len = given ? strlen(given) : 0;
	unsigned depth = 0;

	snprintf(u->shown, sizeof(u->shown), "entry %u", u->entries);
	if (given)
		names_escape(given, len, u->shown, sizeof(u->shown));
	if (!given || mbstowcs(NULL, given, 0) == (size_t)-1)
		return err_set(e, "its name is not UTF-8");
	if (given[0] == '/')
		return err_set(e, "an absolute path");
	if (len > 0 && given[len - 1] == '/')
		len--;
	if (len > PATH_MOST)
		return err_set(e, "longer than %d bytes", PATH_MOST);
	memcpy(u->path, given, len);
	u->path[len] = '\0';
	for (const char *name = u->path;; name += strcspn(name, "/") + 1) {
		size_t n = strcspn(name, "/");

		if (check_component(name, n, e) < 0)
			return -1;
		if (name[n] == '\0')
			return 0;
		if (++depth == UNPACK_DEPTH_MAX)
			return err_set(e, "nested more than %d deep", UNPACK_DEPTH_MAX);
	}
}

static int check_kind(struct unpacking *u, struct err *e)
{
	const char *format = archive_format_name(u->archive);
	mode_t type = archive_entry_filetype(u->entry);

	if (archive_entry_is_encrypted(u->entry))
		return err_set(e, "encrypted, expected an archive without a password");
	if (archive_entry_hardlink(u->entry) || type == AE_IFLNK)
		return err_set(e, "a link, expected the file itself (links are for packages that "
				  "are folders)");
	if (type != AE_IFREG && type != AE_IFDIR)
		return err_set(e, "neither a file nor a folder");
	if (type == AE_IFREG &&
	    (!format || (!strstr(format, "(deflation)") && !strstr(format, "(uncompressed)"))))
		return err_set(e, "compressed in another way than deflate");
	return 0;
}

/* All names are new ones below a folder that only we write to; the kernel is asked to agree. */
static int open_beneath(const struct unpacking *u, const char *path, int flags, mode_t mode)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
			       .mode = mode,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

	return (int)syscall(SYS_openat2, u->folder, path, &how, sizeof(how));
}

static int make_folder(struct unpacking *u, const char *path, struct err *e)
{
	struct stat st;

	if (mkdirat(u->folder, path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "make the folder");
	if (fstatat(u->folder, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, "a file has the name of its folder");
	return 0;
}

/* The folders above the entry; most archives name them first, but they need not. */
static int make_parents(struct unpacking *u, struct err *e)
{
	for (char *slash = strchr(u->path, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = make_folder(u, u->path, e);
		*slash = '/';
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int count_bytes(struct unpacking *u, uint64_t of_file, size_t more, struct err *e)
{
	const struct unpack_limits *l = u->limits;

	u->bytes += more;
	if (of_file + more > l->file_bytes)
		return err_set(e, "larger than %llu bytes", (unsigned long long)l->file_bytes);
	if (u->bytes > l->total_bytes)
		return err_set(e, "the archive holds more than %llu bytes together",
			       (unsigned long long)l->total_bytes);
	if (u->bytes > l->free_bytes && u->bytes - l->free_bytes > l->ratio * u->archive_bytes)
		return err_set(e, "the archive holds more than %u times its own size", l->ratio);
	return 0;
}

static int write_content(struct unpacking *u, int fd, struct err *e)
{
	char block[BLOCK];
	uint64_t size = 0;
	la_ssize_t n;

	while ((n = archive_read_data(u->archive, block, sizeof(block))) > 0) {
		if (count_bytes(u, size, (size_t)n, e) < 0 ||
		    io_write_all(fd, block, (size_t)n, e) < 0)
			return -1;
		size += (uint64_t)n;
	}
	return n < 0 ? complain(u, "cannot be unpacked", e) : 0;
}

static int make_file(struct unpacking *u, struct err *e)
{
	mode_t mode = archive_entry_perm(u->entry) & 0111 ? 0700 : 0600;
	AUTO_CLOSE int fd = open_beneath(u, u->path, O_WRONLY | O_CREAT | O_EXCL, mode);

	if (fd < 0 && (errno == EEXIST || errno == EISDIR))
		return err_set(e, "is in the archive twice");
	if (fd < 0)
		return err_sys(e, "make the file");
	return write_content(u, fd, e);
}

static int take_entry(struct unpacking *u, struct err *e)
{
	u->entries++;
	if (take_path(u, e) < 0 || check_kind(u, e) < 0)
		return -1;
	if (u->entries > u->limits->entries)
		return err_set(e, "the archive has more than %u entries", u->limits->entries);
	if (make_parents(u, e) < 0)
		return -1;
	if (archive_entry_filetype(u->entry) == AE_IFDIR)
		return make_folder(u, u->path, e);
	return make_file(u, e);
}

static int take_entries(struct unpacking *u, struct err *e)
{
	for (;;) {
		int rc = archive_read_next_header(u->archive, &u->entry);

		if (rc == ARCHIVE_EOF)
			return u->entries > 0 ? 0 : err_set(e, "the archive is empty");
		/* A warning is a name that has no UTF-8, which take_path() names, or an oddity that harms nobody. */
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return complain(u, "the archive", e);
		if (take_entry(u, e) < 0)
			return err_wrap(e, "%s", u->shown);
	}
}

static int open_archive(struct unpacking *u, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(e, "expected a folder or a zip archive");
	u->archive_bytes = (uint64_t)st.st_size;
	if (lseek(fd, 0, SEEK_SET) < 0 || count_entries(fd, u->limits, e) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return e->msg[0] ? -1 : err_sys(e, "seek");
	u->archive = archive_read_new();
	if (!u->archive)
		return err_set(e, "out of memory");
	if (archive_read_support_format_zip_seekable(u->archive) != ARCHIVE_OK)
		return complain(u, "libarchive", e);
	if (archive_read_open_fd(u->archive, fd, BLOCK) != ARCHIVE_OK)
		return err_set(e, "not a zip archive, or its end is missing");
	return 0;
}

int unpack_zip(int archive, int folder, const struct unpack_limits *l, struct err *e)
{
	struct unpacking u = {.limits = l, .folder = folder};
	/* libarchive takes names for text of the thread's locale. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	int rc;

	e->msg[0] = '\0';
	rc = open_archive(&u, archive, e);
	if (rc == 0)
		rc = take_entries(&u, e);
	(void)archive_read_free(u.archive);
	if (utf8) {
		(void)uselocale(before);
		freelocale(utf8);
	}
	return rc;
}
