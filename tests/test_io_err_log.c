#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

Test(err, texts)
{
	struct err e = {0};

	cr_expect_eq(err_set(&e, "%s is %d", "it", 4), -1);
	cr_expect_str_eq(e.msg, "it is 4");
	cr_expect_eq(e.num, 0);
	errno = ENOENT;
	cr_expect_eq(err_sys(&e, "open %s", "/x"), -1);
	cr_expect_str_eq(e.msg, "open /x: No such file or directory");
	cr_expect_eq(e.num, ENOENT);
	cr_expect_eq(err_wrap(&e, "step %d", 2), -1);
	cr_expect_str_eq(e.msg, "step 2: open /x: No such file or directory");
	cr_expect_eq(e.num, ENOENT, "wrapping keeps the number");
	errno = 4711;
	err_sys(&e, "odd");
	cr_expect_str_eq(e.msg, "odd: unknown error");
}

Test(err, long_texts_are_cut_and_say_so)
{
	struct err e = {0};
	char text[400];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, "%s", text);
	cr_expect_eq(strlen(e.msg), sizeof(e.msg) - 1);
	cr_expect_str_eq(e.msg + sizeof(e.msg) - 5, "x...");
	err_wrap(&e, "%s", text);
	cr_expect_eq(strlen(e.msg), sizeof(e.msg) - 1);
	errno = EIO;
	err_sys(&e, "%s", text);
	cr_expect_eq(strlen(e.msg), sizeof(e.msg) - 1);
	text[sizeof(e.msg) - 1] = '\0';
	err_set(&e, "%s", text);
	cr_expect_str_eq(e.msg, text, "what just fits is whole");
}

Test(io, sealed_memfds)
{
	struct err e = {0};
	char text[8] = "";
	AUTO_CLOSE int fd = io_memfd_of("hello", 5, &e);

	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_expect_eq(io_memfd_check(fd, &e), 0, "%s", e.msg);
	cr_expect_eq(pwrite(fd, "x", 1, 0), -1);
	cr_expect_eq(ftruncate(fd, 0), -1);
	cr_expect_eq(ftruncate(fd, 9), -1);
	cr_expect_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	cr_expect_eq(mmap(NULL, 5, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	AUTO_CLOSE int a = io_reopen(fd, &e);
	AUTO_CLOSE int b = io_reopen(fd, &e);

	cr_expect_eq(read(a, text, 3), 3);
	cr_expect_eq(read(b, text, 5), 5, "the offset is shared");
	cr_expect_str_eq(text, "hello");
	cr_expect_eq(fcntl(a, F_GETFL) & O_ACCMODE, O_RDONLY);
}

Test(io, other_files_are_refused)
{
	struct err e = {0};
	AUTO_CLOSE int unsealed = io_memfd(&e);
	AUTO_CLOSE int folder = open("/", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int mode = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	cr_expect_eq(io_memfd_check(unsealed, &e), -1);
	cr_expect_not_null(strstr(e.msg, "not a sealed memfd"));
	cr_expect_eq(io_memfd_check(folder, &e), -1);
	cr_expect_not_null(strstr(e.msg, "not a regular file"));
	cr_expect_eq(io_memfd_check(file, &e), -1);
	cr_expect_eq(io_memfd_seal(mode, &e), 0);
	cr_expect_eq(io_memfd_check(mode, &e), -1);
	cr_expect_not_null(strstr(e.msg, "must be 444"), "%s", e.msg);
	cr_expect_eq(io_memfd_check(-1, &e), -1);
}

Test(io, whole_files)
{
	struct err e = {0};
	char dir[] = "/tmp/gavel-io-XXXXXX";
	char path[64];
	char *text = NULL;
	size_t len = 0;
	static char large[10000];

	memset(large, 'l', sizeof(large));
	AUTO_CLOSE int fd = io_memfd_of(large, sizeof(large), &e);

	cr_expect_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(io_read_fd(fd, sizeof(large), &text, &len, &e), 0, "%s", e.msg);
	cr_expect_eq(len, sizeof(large));
	cr_expect_eq(text[len], '\0');
	free(text);
	cr_expect_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_expect_eq(io_read_fd(fd, sizeof(large) - 1, &text, &len, &e), -1);
	cr_expect_not_null(strstr(e.msg, "larger than 9999 bytes"), "%s", e.msg);
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(io_read_file(path, 10, &text, &len, &e), -1, "a fifo without a writer");
	cr_expect_not_null(strstr(e.msg, "not a regular file"), "%s", e.msg);
	cr_expect_eq(io_read_file(dir, 10, &text, &len, &e), -1);
	(void)unlink(path);
	cr_expect_eq(io_read_file(path, 10, &text, &len, &e), -1);
	cr_expect_eq(e.num, ENOENT);
	cr_expect_eq(rmdir(dir), 0);
}

Test(io, clocks)
{
	int64_t a = io_monotonic_us();

	cr_expect_leq(a, io_monotonic_us());
	cr_expect_gt(io_realtime_us(), 1700000000LL * 1000000);
}

/* What a function writes to standard error. */
static void capture(void (*write_line)(void), char *out, size_t size)
{
	int ends[2];
	int saved = dup(STDERR_FILENO);

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	write_line();
	cr_assert_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	(void)close(ends[1]);
	ssize_t n = read(ends[0], out, size - 1);

	out[n < 0 ? 0 : n] = '\0';
	(void)close(ends[0]);
}

static void forged(void)
{
	log_open("test", LOG_INFO);
	log_event(LOG_DEBUG, "hidden", "a=1");
	log_event(LOG_WARN, "seen", "name=%s other=%s", log_q("x\nlevel=error \"q\" \\ \xc3\xa9"),
		  log_q(NULL));
}

Test(log, one_line_whatever_the_text)
{
	char line[1024];

	capture(forged, line, sizeof(line));
	cr_expect_eq(strncmp(line, "ts=", 3), 0);
	cr_expect_eq(strchr(line, '\n'), line + strlen(line) - 1, "%s", line);
	cr_expect_not_null(strstr(line, "level=warn program=test"));
	cr_expect_not_null(strstr(line, "event=seen name=\"x\\x0alevel=error \\\"q\\\" \\\\ "
					"\\xc3\\xa9\" other=\"\"\n"),
			   "%s", line);
}

static void endless(void)
{
	static char text[6000];

	memset(text, 'x', sizeof(text) - 1);
	log_event(LOG_ERROR, "long", "a=%s b=%s", text, log_q(text));
}

Test(log, long_lines_are_cut)
{
	static char line[8192];

	capture(endless, line, sizeof(line));
	cr_expect_leq(strlen(line), 4096);
	cr_expect_eq(strchr(line, '\n'), line + strlen(line) - 1);
	cr_expect_leq(strlen(log_q("\x01\x01\x01")), 512);
}

Test(log, levels)
{
	cr_expect_eq(log_level_parse("debug"), LOG_DEBUG);
	cr_expect_eq(log_level_parse("error"), LOG_ERROR);
	cr_expect_eq(log_level_parse("loud"), -1);
	cr_expect_eq(log_level_parse(""), -1);
}
