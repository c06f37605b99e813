#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge/compile.h"
#include "judge/compile_cache.h"
#include "judge/language.h"
#include "judge/program_cache.h"
#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

#define FILE_BYTES 20000 /* takes 20480 with the rest of its entry */

static char dir[] = "/tmp/gavel-programs-XXXXXX";
static struct program_cache *cache;

static void reopen(uint64_t max_bytes)
{
	struct err e;

	program_cache_close(cache);
	cache = program_cache_open(dir, max_bytes, &e);
	cr_assert(ne(ptr, cache, NULL), "%s", e.msg);
}

static void open_all(void)
{
	log_open("test", LOG_ERROR); /* damage is logged, and there will be much of it */
	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	reopen(10 << 20);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void close_all(void)
{
	program_cache_close(cache);
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(program_cache, .init = open_all, .fini = close_all, .timeout = 60);

/* Sixty-four digits of one kind. */
static const char *key(char digit)
{
	static char keys[8][65];
	static unsigned next;
	char *k = keys[next++ % 8];

	memset(k, digit, 64);
	k[64] = '\0';
	return k;
}

static void put(const char *k, char fill)
{
	static char program[] = "program", inner[] = "folder/data";
	struct sandbox_file files[2] = {{program, 0555, -1}, {inner, 0444, -1}};
	struct compile_result r = {.status = COMPILE_OK, .files = files, .nfiles = 2};
	char bytes[FILE_BYTES], said[] = "warning: ?";
	struct err e;

	said[9] = fill;
	r.output = said;
	memset(bytes, fill, sizeof(bytes));
	files[0].fd = io_memfd_of(bytes, sizeof(bytes), &e);
	files[1].fd = io_memfd_of("", 0, &e);
	cr_assert(files[0].fd >= 0 && files[1].fd >= 0, "%s", e.msg);
	program_cache_put(cache, k, &r);
	close(files[0].fd);
	close(files[1].fd);
}

/* 0 for an entry that is not there; any byte of it that is not as put() wrote it fails the test. */
static char get(const char *k)
{
	struct compile_result r = {.output = NULL};
	char bytes[FILE_BYTES + 1];
	struct err e;
	char fill;

	if (!program_cache_get(cache, k, &r))
		return 0;
	cr_assert(eq(sz, r.nfiles, 2));
	cr_expect(eq(int, r.status, COMPILE_OK));
	fill = r.output[9];
	cr_expect(eq(str, r.files[0].name, "program"));
	cr_expect(eq(u32, r.files[0].mode, 0555));
	cr_expect(eq(str, r.files[1].name, "folder/data"));
	cr_expect(eq(u32, r.files[1].mode, 0444));
	for (int i = 0; i < 2; i++)
		cr_expect(zero(int, io_memfd_check(r.files[i].fd, &e)), "%s", e.msg);
	lseek(r.files[0].fd, 0, SEEK_SET);
	cr_expect(eq(long, io_read_full(r.files[0].fd, bytes, sizeof(bytes), &e), FILE_BYTES));
	for (size_t i = 0; i < FILE_BYTES; i++)
		cr_assert(eq(chr, bytes[i], fill), "byte %zu", i);
	cr_expect(zero(long, io_read_full(r.files[1].fd, bytes, sizeof(bytes), &e)));
	compile_result_release(&r);
	return fill;
}

static char *path_of(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

Test(program_cache, gives_back_what_was_put_also_after_a_restart)
{
	cr_expect(zero(chr, get(key('a'))));
	put(key('a'), 'x');
	put(key('b'), 'y');
	cr_expect(eq(chr, get(key('a')), 'x'));
	reopen(10 << 20);
	cr_expect(eq(chr, get(key('a')), 'x'));
	cr_expect(eq(chr, get(key('b')), 'y'));
	cr_expect(zero(chr, get(key('c'))));
}

Test(program_cache, keeps_that_something_does_not_compile)
{
	char said[] = "a.c:1: error";
	struct compile_result failed = {.status = COMPILE_FAILED, .output = said}, r;

	program_cache_put(cache, key('a'), &failed);
	cr_assert(eq(int, program_cache_get(cache, key('a'), &r), 1));
	cr_expect(eq(int, r.status, COMPILE_FAILED));
	cr_expect(eq(str, r.output, said));
	cr_expect(zero(sz, r.nfiles));
	compile_result_release(&r);
}

/* Whatever byte it is: of the first line, of the key, of a number, of a name, of a file or of the hash. */
Test(program_cache, does_not_use_an_entry_with_a_byte_changed)
{
	struct stat st;

	for (off_t at = 0;; at += at < 250 ? 1 : 997) {
		put(key('a'), 'x');
		cr_assert(zero(int, stat(path_of(key('a')), &st)));
		if (at >= st.st_size)
			break;
		AUTO_CLOSE int fd = open(path_of(key('a')), O_RDWR | O_CLOEXEC);
		char byte;

		cr_assert(eq(long, pread(fd, &byte, 1, at), 1));
		byte ^= 1;
		cr_assert(eq(long, pwrite(fd, &byte, 1, at), 1));
		cr_assert(zero(chr, get(key('a'))), "byte %ld", (long)at);
		cr_expect(eq(int, access(path_of(key('a')), F_OK), -1), "byte %ld", (long)at);
	}
}

Test(program_cache, does_not_use_an_entry_that_is_cut_or_another_one_s)
{
	put(key('a'), 'x');
	cr_assert(zero(int, truncate(path_of(key('a')), 5000)));
	cr_expect(zero(chr, get(key('a'))));
	put(key('a'), 'x');
	cr_assert(zero(int, truncate(path_of(key('a')), 0)));
	cr_expect(zero(chr, get(key('a'))));

	char other[160];

	put(key('a'), 'x');
	put(key('b'), 'y');
	snprintf(other, sizeof(other), "%s", path_of(key('b')));
	cr_assert(zero(int, rename(path_of(key('a')), other)));
	cr_expect(zero(chr, get(key('b'))), "the program of other sources");
	cr_expect(zero(chr, get(key('a'))));
	put(key('b'), 'y');
	cr_expect(eq(chr, get(key('b')), 'y'), "it is compiled again and kept");
}

Test(program_cache, follows_no_link_and_removes_what_is_no_entry)
{
	char target[64] = "/tmp/gavel-victim-XXXXXX";
	int fd = mkstemp(target);

	put(key('a'), 'x');
	cr_assert(zero(int, symlink(target, path_of(key('b')))));
	cr_assert(zero(int, symlink(target, path_of("new-0"))));
	AUTO_CLOSE int half = open(path_of("new-7"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	reopen(10 << 20);
	cr_expect(eq(chr, get(key('a')), 'x'));
	cr_expect(zero(chr, get(key('b'))));
	cr_expect(eq(int, access(path_of("new-7"), F_OK), -1));
	put(key('b'), 'y');
	cr_expect(eq(chr, get(key('b')), 'y'));
	cr_expect(zero(long, lseek(fd, 0, SEEK_END)), "written through a link");
	close(fd);
	unlink(target);
}

Test(program_cache, throws_the_least_recently_used_away)
{
	reopen(3 * 20480);
	put(key('a'), 'x');
	put(key('b'), 'y');
	put(key('c'), 'z');
	cr_expect(eq(chr, get(key('a')), 'x'));
	put(key('d'), 'w');
	cr_expect(zero(chr, get(key('b'))));
	cr_expect(eq(int, access(path_of(key('b')), F_OK), -1));
	cr_expect(eq(chr, get(key('a')), 'x'));

	/* What was used is known to the next process too, and so is a smaller bound. */
	cr_expect(eq(chr, get(key('c')), 'z'));
	reopen(20480);
	cr_expect(eq(chr, get(key('c')), 'z'));
	cr_expect(zero(chr, get(key('a'))));
	cr_expect(zero(chr, get(key('d'))));

	/* And what would not fit is not begun. */
	reopen(16384);
	put(key('e'), 'x');
	cr_expect(zero(chr, get(key('e'))));
}

Test(program_cache, is_whole_when_its_process_is_killed_at_any_moment)
{
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			for (;;) {
				put(key('a'), 'x');
				put(key('b'), 'y');
			}
		usleep((useconds_t)(500 + 777 * round % 9000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		reopen(10 << 20);
		cr_expect(ne(chr, get(key('a')), 'y'));
		cr_expect(ne(chr, get(key('b')), 'x'));
		cr_expect(eq(int, access(path_of("new-0"), F_OK), -1));
	}
}

/* --- keys */

static const struct {
	const char *what;
	const char *rule_hash, *found, *toolchain, *sandbox, *file, *text, *more;
	uint64_t memory, time;
} variants[] = {
	{"the first one", "r", "gcc 12", "t", "s", "main.c", "int x;", NULL, 64 << 20, 0},
	{"another rule", "R", "gcc 12", "t", "s", "main.c", "int x;", NULL, 64 << 20, 0},
	{"another compiler", "r", "gcc 13", "t", "s", "main.c", "int x;", NULL, 64 << 20, 0},
	{"other libraries", "r", "gcc 12", "T", "s", "main.c", "int x;", NULL, 64 << 20, 0},
	{"another sandbox", "r", "gcc 12", "t", "S", "main.c", "int x;", NULL, 64 << 20, 0},
	{"another file name", "r", "gcc 12", "t", "s", "main2.c", "int x;", NULL, 64 << 20, 0},
	{"other text", "r", "gcc 12", "t", "s", "main.c", "int y;", NULL, 64 << 20, 0},
	{"a header more", "r", "gcc 12", "t", "s", "main.c", "int x;", "", 64 << 20, 0},
	{"text in the header", "r", "gcc 12", "t", "s", "main.c", "int x;", "x", 64 << 20, 0},
	{"another {memory_mb}", "r", "gcc 12", "t", "s", "main.c", "int x;", NULL, 65 << 20, 0},
	{"another limit", "r", "gcc 12", "t", "s", "main.c", "int x;", NULL, 64 << 20, 1000000},
};

static void key_of(size_t i, const char *flag, char *out)
{
	char *command[] = {"/usr/bin/gcc", (char *)flag, "-Dm={memory_mb}", "{files}", NULL};
	char *extensions[] = {"c", NULL};
	struct language l = {.name = "c",
			     .extensions = extensions,
			     .found = (char *)variants[i].found,
			     .compile = {.command = command, .cache = 1}};
	struct compile_source sources[] = {
		{variants[i].file, variants[i].text, strlen(variants[i].text)},
		{"a.h", variants[i].more, variants[i].more ? strlen(variants[i].more) : 0}};
	struct compile_cache_options o = {dir, 1 << 20, variants[i].toolchain, 0};
	struct compile_job job = {.language = &l,
				  .sources = sources,
				  .nsources = variants[i].more ? 2 : 1,
				  .program_memory_bytes = variants[i].memory,
				  .time_us = variants[i].time};
	struct err e;

	memcpy(l.hash, variants[i].rule_hash, 2);
	job.cache = compile_cache_open(&o, &e);
	cr_assert(ne(ptr, job.cache, NULL), "%s", e.msg);
	cr_assert(eq(int, compile_cache_key(&job, variants[i].sandbox, out), 1));
	l.compile.cache = 0;
	char unused[COMPILE_KEY_LEN + 1];

	cr_expect(zero(int, compile_cache_key(&job, variants[i].sandbox, unused)));
	compile_cache_close(job.cache);
}

Test(program_cache, every_thing_that_matters_is_in_the_key)
{
	char keys[ARRAY_LEN(variants) + 1][COMPILE_KEY_LEN + 1];
	char again[COMPILE_KEY_LEN + 1];
	size_t n = ARRAY_LEN(variants);

	for (size_t i = 0; i < n; i++)
		key_of(i, "-O2", keys[i]);
	key_of(0, "-O3", keys[n]);
	key_of(0, "-O2", again);
	cr_expect(eq(str, again, keys[0]));
	for (size_t i = 0; i <= n; i++)
		for (size_t k = 0; k < i; k++)
			cr_expect(ne(str, keys[i], keys[k]), "%s, %s",
				  i < n ? variants[i].what : "another flag", variants[k].what);
}
