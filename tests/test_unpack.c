/* Archives that are right, and all the ways in which they can be meant ill. */
#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "judge/problem.h"
#include "judge/scratch.h"
#include "judge/unpack.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "tests/package_fixture.h"
#include "tests/zip_builder.h"

TestSuite(unpack, .init = make_root, .fini = remove_root);

static const struct unpack_limits small = {
	.entries = 20,
	.file_bytes = 1000,
	.total_bytes = 4000,
	.free_bytes = 500,
	.ratio = 3,
};

/* Into ROOT/out, a new folder each time. */
static int unpack_bytes(const char *data, size_t len, struct err *e)
{
	AUTO_CLOSE int fd = io_memfd(e);
	AUTO_CLOSE int folder = -1;

	scratch_remove_tree(NULL, at("out"));
	cr_assert(zero(int, mkdir(at("out"), 0700)));
	folder = open(at("out"), O_RDONLY | O_DIRECTORY);
	cr_assert(zero(int, io_write_all(fd, data, len, e)));
	return unpack_zip(fd, folder, &small, e);
}

static int unpack_built(struct zip_builder *z, struct err *e)
{
	size_t len;
	AUTO_FREE char *data = zip_finish(z, &len);

	return unpack_bytes(data, len, e);
}

static size_t count_in(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n < 2 ? 0 : n - 2;
}

Test(unpack, files_and_folders)
{
	struct zip_builder z = {0};
	struct err e = {0};
	struct stat st;
	AUTO_FREE char *text = NULL;
	size_t len;

	zip_text(&z, "a/", "");
	zip_text(&z, "a/b/c.txt", "hello");
	zip_add(&z, &(struct zip_entry){.name = "a/run", .text = "", .mode = S_IFREG | 04755});
	zip_add(&z, &(struct zip_entry){.name = "gr\xc3\xbc\xc3\x9f", .text = "", .flags = 0x0800});
	zip_text(&z, "a/b/", "");
	cr_assert(zero(int, unpack_built(&z, &e)), "%s", e.msg);
	cr_assert(zero(int, io_read_file(at("out/a/b/c.txt"), 100, &text, &len, &e)));
	cr_expect(eq(str, text, "hello"));
	cr_assert(zero(int, stat(at("out/a/b/c.txt"), &st)));
	cr_expect(eq(u32, st.st_mode, S_IFREG | 0600));
	cr_assert(zero(int, stat(at("out/a/run"), &st)));
	cr_expect(eq(u32, st.st_mode, S_IFREG | 0700));
	cr_expect(zero(int, stat(at("out/gr\xc3\xbc\xc3\x9f"), &st)));
	cr_assert(zero(int, stat(at("out/a"), &st)));
	cr_expect(eq(u32, st.st_mode, S_IFDIR | 0700));
}

Test(unpack, what_is_refused)
{
	static const struct {
		struct zip_entry entry;
		const char *message;
	} rows[] = {
		{{.name = "../x", .text = ""},
		 "../x: \"..\", \".\" and empty names are not allowed"},
		{{.name = "a/../../x", .text = ""},
		 "a/../../x: \"..\", \".\" and empty names are not allowed"},
		{{.name = "..", .text = ""}, "..: \"..\", \".\" and empty names are not allowed"},
		{{.name = "./x", .text = ""}, "./x: \"..\", \".\" and empty names are not allowed"},
		{{.name = "a//x", .text = ""},
		 "a//x: \"..\", \".\" and empty names are not allowed"},
		{{.name = "/", .text = ""}, "/: an absolute path"},
		{{.name = "/etc/passwd", .text = ""}, "/etc/passwd: an absolute path"},
		{{.name = "a\nb", .text = ""},
		 "a\\x0ab: control characters and \"\\\" are not allowed"},
		{{.name = "a\\..\\b/c", .text = ""},
		 "a\\x5c..\\x5cb/c: control characters and \"\\\" are not allowed"},
		{{.name = "\xff\xfe", .text = ""}, "\\xff\\xfe: its name is not UTF-8"},
		{{.name = "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/x", .text = ""},
		 "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/x: nested more than 16 deep"},
		{{.name = "link", .text = "/etc/passwd", .mode = S_IFLNK | 0777},
		 "link: a link, expected the file itself (links are for packages that are "
		 "folders)"},
		{{.name = "disk", .text = "", .mode = S_IFBLK | 0666},
		 "disk: neither a file nor a folder"},
		{{.name = "null", .text = "", .mode = S_IFCHR | 0666},
		 "null: neither a file nor a folder"},
		{{.name = "socket", .text = "", .mode = S_IFSOCK | 0666},
		 "socket: neither a file nor a folder"},
		{{.name = "secret", .text = "0123456789abc", .flags = 1},
		 "secret: encrypted, expected an archive without a password"},
		{{.name = "bzip", .text = "BZh9", .method = 12},
		 "bzip: compressed in another way than deflate"},
		{{.name = "sum", .text = "x", .wrong_sum = 1}, "sum: cannot be unpacked: "},
		{{.name = "damaged", .text = "x", .method = 8}, "damaged: cannot be unpacked: "},
		{{.name = "there", .text = ""}, "there: is in the archive twice"},
		{{.name = "there/x", .text = ""}, "there/x: a file has the name of its folder"},
		{{.name = "there/", .text = ""}, "there/: a file has the name of its folder"},
		{{.name = "folder", .text = ""}, "folder: is in the archive twice"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct zip_builder z = {0};
		struct err e = {0};

		zip_text(&z, "there", "");
		zip_text(&z, "folder/", "");
		zip_add(&z, &rows[i].entry);
		cr_expect(eq(int, unpack_built(&z, &e), -1), "%s", rows[i].message);
		cr_expect(zero(int, strncmp(e.msg, rows[i].message, strlen(rows[i].message))),
			  "%s\nexpected %s", e.msg, rows[i].message);
		cr_expect(eq(sz, count_in(root), 1)); /* out, and nothing beside it */
	}
}

Test(unpack, long_names_are_refused)
{
	char name[2000];
	struct zip_builder z = {0};
	struct err e = {0};

	memset(name, 'a', sizeof(name));
	zip_add(&z, &(struct zip_entry){.name = name, .name_len = 256, .text = ""});
	cr_expect(eq(int, unpack_built(&z, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "a name is longer than 255 bytes"), NULL), "%s", e.msg);
	zip_add(&z, &(struct zip_entry){.name = name, .name_len = 1025, .text = ""});
	cr_expect(eq(int, unpack_built(&z, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "longer than 1024 bytes"), NULL), "%s", e.msg);
	/* What is behind a NUL is not seen, so it must not matter. */
	zip_add(&z, &(struct zip_entry){.name = "ok\0/../../x", .name_len = 11, .text = ""});
	if (unpack_built(&z, &e) == 0)
		cr_expect(eq(sz, count_in(at("out")), 1));
	cr_expect(eq(sz, count_in(root), 1));
}

Test(unpack, too_many_and_too_much)
{
	char text[1002];
	struct zip_builder z = {0};
	struct err e = {0};

	for (int i = 0; i < 21; i++) {
		snprintf(text, sizeof(text), "f%d", i);
		zip_text(&z, text, "");
	}
	cr_expect(eq(int, unpack_built(&z, &e), -1));
	cr_expect(eq(str, e.msg, "f20: the archive has more than 20 entries"));

	for (int i = 0; i < 41; i++) /* counted before libarchive holds them all */
		zip_text(&z, "same", "");
	cr_expect(eq(int, unpack_built(&z, &e), -1));
	cr_expect(eq(str, e.msg, "has more than 20 entries"));

	memset(text, 'x', sizeof(text));
	text[1001] = '\0';
	zip_text(&z, "big", text);
	cr_expect(eq(int, unpack_built(&z, &e), -1));
	cr_expect(eq(str, e.msg, "big: larger than 1000 bytes"));

	text[1000] = '\0';
	for (int i = 0; i < 5; i++)
		zip_text(&z, (char *[]){"a", "b", "c", "d", "e"}[i], text);
	cr_expect(eq(int, unpack_built(&z, &e), -1));
	cr_expect(eq(str, e.msg, "e: the archive holds more than 4000 bytes together"));
}

/* A deflated file of so many zero bytes. */
static char *bomb(size_t bytes, size_t *used)
{
	const size_t room = 65536;
	char *data = malloc(room);
	char *zeros = calloc(bytes, 1);
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	cr_assert(data && zeros && a && entry);
	archive_write_set_format_zip(a);
	archive_write_set_bytes_in_last_block(a, 1);
	cr_assert(eq(int, archive_write_open_memory(a, data, room, used), ARCHIVE_OK));
	archive_entry_set_pathname(entry, "zeros");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)bytes);
	cr_assert(eq(int, archive_write_header(a, entry), ARCHIVE_OK));
	cr_assert(eq(sz, (size_t)archive_write_data(a, zeros, bytes), bytes));
	archive_entry_free(entry);
	cr_assert(eq(int, archive_write_close(a), ARCHIVE_OK));
	archive_write_free(a);
	free(zeros);
	return data;
}

Test(unpack, a_bomb_is_measured_as_it_unfolds)
{
	static const struct unpack_limits ratio = {.entries = 20,
						   .file_bytes = 1 << 20,
						   .total_bytes = 1 << 20,
						   .free_bytes = 500,
						   .ratio = 3};
	AUTO_CLOSE int fd = -1;
	AUTO_CLOSE int folder = -1;
	struct err e = {0};
	struct stat st;
	size_t len;
	AUTO_FREE char *data = bomb(400, &len);

	cr_expect(zero(int, unpack_bytes(data, len, &e)), "%s", e.msg);
	cr_assert(zero(int, stat(at("out/zeros"), &st)));
	cr_expect(eq(sz, (size_t)st.st_size, 400));
	free(ptr_steal(&data));
	data = bomb(1 << 20, &len);
	cr_expect(eq(int, unpack_bytes(data, len, &e), -1));
	cr_expect(eq(str, e.msg, "zeros: larger than 1000 bytes"));
	cr_assert(zero(int, unlink(at("out/zeros"))));
	fd = io_memfd(&e);
	folder = open(at("out"), O_RDONLY | O_DIRECTORY);
	cr_assert(zero(int, io_write_all(fd, data, len, &e)));
	cr_expect(eq(int, unpack_zip(fd, folder, &ratio, &e), -1));
	cr_expect(eq(str, e.msg, "zeros: the archive holds more than 3 times its own size"));
	cr_assert(zero(int, stat(at("out/zeros"), &st)));
	cr_expect(lt(sz, (size_t)st.st_size, 200000)); /* it did not unfold first */
}

/* Two entries of the directory that share one file's bytes: how small archives become large ones. */
Test(unpack, entries_that_overlap_are_one)
{
	struct zip_builder z = {0};
	struct err e = {0};
	char text[1001];
	size_t len;

	memset(text, 'x', sizeof(text));
	text[1000] = '\0';
	zip_text(&z, "a", text);
	size_t one = z.central_len;
	for (int i = 0; i < 5; i++) {
		z.central = realloc(z.central, z.central_len + one + 1);
		memcpy(z.central + z.central_len, z.central, one);
		z.central_len += one;
		z.entries++;
	}
	AUTO_FREE char *data = zip_finish(&z, &len);

	cr_expect(zero(int, unpack_bytes(data, len, &e)), "%s", e.msg);
	cr_expect(eq(sz, count_in(at("out")), 1));
}

Test(unpack, what_is_no_archive)
{
	struct zip_builder z = {0};
	struct err e = {0};
	size_t len;

	cr_expect(eq(int, unpack_bytes("", 0, &e), -1));
	cr_expect(eq(str, e.msg, "not a zip archive, or its end is missing"));
	cr_expect(eq(int, unpack_bytes("hello", 5, &e), -1));
	cr_expect(eq(int, unpack_built(&z, &e), -1));
	cr_expect(ne(str, e.msg, ""));
	zip_text(&z, "a", "some text");
	AUTO_FREE char *data = zip_finish(&z, &len);

	for (size_t cut = 1; cut < len; cut++)
		if (unpack_bytes(data, cut, &e) == 0)
			cr_expect(0, "cut to %zu of %zu bytes", cut, len);
	for (size_t i = 0; i < len; i++) { /* any bit: refused, or nothing bad happens */
		data[i] ^= 0x10;
		(void)unpack_bytes(data, len, &e);
		data[i] ^= 0x10;
	}
	cr_expect(eq(sz, count_in(root), 1));
	cr_expect(eq(int, unpack_is_archive("a.zip"), 1));
	cr_expect(eq(int, unpack_is_archive("a.b.KPP"), 1));
	cr_expect(zero(int, unpack_is_archive("zip")));
	cr_expect(zero(int, unpack_is_archive("a.zip.txt")));
}

static void zip_demo(struct zip_builder *z, const char *top)
{
	static const char *const files[][2] = {
		{"problem.yaml", "name: Demo\n"},
		{".timelimit", "1.5\n"},
		{"data/sample/1.in", "1\n"},
		{"data/sample/1.ans", "2\n"},
		{"data/secret/1.in", "3\n"},
		{"data/secret/1.ans", "4\n"},
		{"submissions/accepted/a.c", "int main(void) {}\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char name[200];

		snprintf(name, sizeof(name), "%s%s", top, files[i][0]);
		zip_text(z, name, files[i][1]);
	}
}

Test(unpack, packages)
{
	static const struct {
		const char *file, *top, *name;
	} rows[] = {{"one.zip", "", "one"}, {"two.kpp", "demo/", "demo"}};

	setenv("TMPDIR", at("tmp"), 1);
	cr_assert(zero(int, mkdir(at("tmp"), 0700)));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct zip_builder z = {0};
		struct problem p;
		struct err e = {0};
		AUTO_FREE char *data = NULL;
		size_t len;

		zip_demo(&z, rows[i].top);
		zip_text(&z, "__MACOSX/._x", "");
		zip_text(&z, ".DS_Store", "");
		zip_write(&z, at(rows[i].file));
		cr_assert(zero(int, problem_read(at(rows[i].file), &p, &e)), "%s", e.msg);
		cr_expect(eq(str, p.name, (char *)rows[i].name));
		cr_expect(eq(sz, p.ncases, 2));
		cr_expect(eq(u64, p.limits.time_us, 1500000));
		cr_expect(eq(sz, count_in(at("tmp")), 1));
		cr_expect(zero(int, problem_load(&p, &p.cases[0].in, &data, &len, &e)));
		problem_release(&p);
		cr_expect(zero(sz, count_in(at("tmp"))));
	}
}

Test(unpack, packages_that_are_wrong_leave_nothing)
{
	static const struct {
		const char *file, *top, *extra, *message;
	} rows[] = {
		{"a.zip", "a/", "b/x",
		 "the archive has neither problem.yaml nor problem.xml at its top, nor only one "
		 "folder "
		 "there"},
		{"a.zip", "a/", "../x", "../x: \"..\", \".\" and empty names are not allowed"},
		{"a b.zip", "", "x",
		 "the package's name: \"a b\" is not a problem name: up to 64 letters, digits and "
		 "\"_-+\", "
		 "not starting with one of \"_-+\""},
		{"a.zip", "a/b/", "x",
		 "the archive has neither problem.yaml nor problem.xml at its top, nor only one "
		 "folder "
		 "there"},
		{"a.zip", "a/b/", "a/x",
		 "expected problem.yaml (ICPC, Kattis) or problem.xml (Polygon) in it"},
	};

	setenv("TMPDIR", at("tmp"), 1);
	cr_assert(zero(int, mkdir(at("tmp"), 0700)));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct zip_builder z = {0};
		struct problem p;
		struct err e = {0};

		zip_demo(&z, rows[i].top);
		zip_text(&z, rows[i].extra, "");
		zip_write(&z, at(rows[i].file));
		cr_expect(eq(int, problem_read(at(rows[i].file), &p, &e), -1));
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
		problem_release(&p);
		cr_expect(zero(sz, count_in(at("tmp"))));
	}
}

Test(unpack, who_was_killed_is_swept_behind)
{
	struct scratch ours, theirs;
	struct err e = {0};
	int ready[2], status;
	char byte;
	pid_t pid;

	cr_assert(zero(int, scratch_make(root, "s-", &ours, &e)), "%s", e.msg);
	cr_assert(zero(int, pipe(ready)));
	pid = fork();
	if (pid == 0) {
		if (scratch_make(root, "s-", &theirs, &e) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert(eq(int, (int)read(ready[0], &byte, 1), 1));
	cr_assert(zero(int, mkdir(at("other"), 0700)));
	scratch_sweep(root, "s-", scratch_remove_tree, NULL);
	cr_expect(eq(sz, count_in(root), 3)); /* both are held */
	kill(pid, SIGKILL);
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	scratch_sweep(root, "s-", scratch_remove_tree, NULL);
	cr_expect(eq(sz, count_in(root), 2));
	cr_expect(zero(int, access(ours.path, F_OK)));
	scratch_remove(&ours);
	scratch_remove(&ours);
	cr_expect(eq(sz, count_in(root), 1));
}
