/*
 * XML from any bytes: a tree, or a refusal with the place.  And problem.xml: a package whose other files are all there.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge/problem.h"
#include "judge/scratch.h"
#include "judge/xml.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

static struct scratch top;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void remove_top(void)
{
	scratch_remove(&top);
}

static void write_file(const char *name, const void *data, size_t len)
{
	struct err e;
	AUTO_CLOSE int fd = openat(top.lock, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, data, len, &e) < 0)
		abort();
}

static void set_up(void)
{
	static const char *const files[] = {"t/1",     "t/1.a",       "t/2",   "t/2.a",
					    "f/c.cpp", "f/testlib.h", "s/a.py"};
	struct err e;

	if (scratch_make("/tmp", "gavelfuzz", &top, &e) < 0 || mkdirat(top.lock, "t", 0700) < 0 ||
	    mkdirat(top.lock, "f", 0700) < 0 || mkdirat(top.lock, "s", 0700) < 0)
		abort();
	(void)atexit(remove_top);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		write_file(files[i], "1\n", 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct problem p;
	struct err e = {0};
	struct xml x;

	if (!top.path)
		set_up();
	if (xml_parse("x", (const char *)data, len, &x, &e) == 0)
		xml_release(&x);
	else if (strncmp(e.msg, "x:", 2) != 0)
		abort();
	write_file("problem.xml", data, len);
	e.msg[0] = '\0';
	if (problem_read(top.path, &p, &e) < 0 && e.msg[0] == '\0')
		abort();
	problem_release(&p);
	return 0;
}
