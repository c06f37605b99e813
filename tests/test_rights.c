#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cgroup_ops.h"
#include "sandbox/rights.h"
#include "sandbox/subids.h"

#define NOBODY 65534

/* A file of subordinate ids, and what the user "me", 1000, gets from it. */
static int find(const char *text, struct subids *s, struct err *e)
{
	char path[] = "/tmp/gavel-test-subids-XXXXXX";
	AUTO_CLOSE int fd = mkstemp(path);
	int status;

	cr_assert_geq(fd, 0);
	cr_assert_eq(io_write_all(fd, text, strlen(text), e), 0);
	status = subids_find(path, "me", 1000, s, e);
	(void)unlink(path);
	return status;
}

Test(subids, the_largest_range_of_the_user)
{
	/* clang-format off */
	static const struct { const char *text; id_t first, count; } files[] = {
		{"me:100000:65536\n", 100000, 65536},
		{"me:100000:65536", 100000, 65536},
		{"1000:100000:65536\n", 100000, 65536},
		{"you:1:5\nme:200000:7\n\nme:100000:65536\n1000:300000:9\n", 100000, 65536},
		{"# me:5:5\nmeme:7:7\n10000:8:8\nme:100000:2\n", 100000, 2},
		{"you:nonsense\n:::\nyou\nme:4294901760:65535\n", 4294901760U, 65535},
		{"me:100000:0\nme:5:1\n", 5, 1},
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct subids s;
		struct err e = {0};

		cr_expect_eq(find(files[i].text, &s, &e), 0, "%zu: %s", i, e.msg);
		cr_expect_eq(s.first, files[i].first, "%zu: %u", i, s.first);
		cr_expect_eq(s.count, files[i].count, "%zu: %u", i, s.count);
	}
}

Test(subids, lines_that_make_no_sense)
{
	/* clang-format off */
	static const struct { const char *text, *says; } files[] = {
		{"", "gives user me no ids"},
		{"you:100000:65536\n", "gives user me no ids"},
		{"me:100000:0\n", "gives user me no ids"},
		{"\nme\n", ":2: is not NAME:FIRST:COUNT"},
		{"me:\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:100000\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:100000:\n", ":1: is not NAME:FIRST:COUNT"},
		{"me::65536\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:100000:65536:1\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:-1:65536\n", ":1: is not NAME:FIRST:COUNT"},
		{"me: 100000:65536\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:0x100000:65536\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:100000:many\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:100000:99999999999999999999999\n", ":1: is not NAME:FIRST:COUNT"},
		{"me:100000:65536\nme:4294967295:1\n", ":2: ids end at 4294967294"},
		{"me:100000:4294967295\n", ":1: ids end at"},
		{"me:18446744073709551615:2\n", ":1: ids end at"},
		{"me:0:65536\n", ":1: gives away id 0,"},
		{"me:999:2\n", ":1: gives away id 1000,"},
		{"me:1000:1\n", ":1: gives away id 1000,"},
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct subids s;
		struct err e = {0};

		cr_expect_eq(find(files[i].text, &s, &e), -1, "%zu was accepted", i);
		cr_expect(strstr(e.msg, files[i].says), "%zu: '%s' does not say '%s'", i, e.msg,
			  files[i].says);
	}
}

Test(subids, a_file_that_is_not_there)
{
	struct subids s;
	struct err e = {0};

	cr_expect_eq(subids_find("/nonexistent/subuid", "me", 1000, &s, &e), -1);
	cr_expect(strstr(e.msg, "/nonexistent/subuid"), "%s", e.msg);
	cr_expect_eq(subids_find("/tmp", "me", 1000, &s, &e), -1);
}

/* What rights_obtain() says to a user who has none of what it takes. */
static void expect_refused(int (*prepare)(void), const char *expected)
{
	int ends[2];
	struct err e = {0};
	int status = -1;

	cr_assert_eq(pipe(ends), 0);
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		     setresuid(NOBODY, NOBODY, NOBODY) < 0))
			_exit(2);
		if (prepare && prepare() < 0)
			_exit(3);
		if (rights_obtain(0, 0, &e) == 0 || rights_user() != 0)
			_exit(4);
		_exit(write(ends[1], &e, sizeof(e)) != (ssize_t)sizeof(e));
	}
	(void)close(ends[1]);
	cr_expect_eq(read(ends[0], &e, sizeof(e)), (ssize_t)sizeof(e));
	(void)close(ends[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "0x%x", status);
	cr_expect(strstr(e.msg, "without root: ") == e.msg && strstr(e.msg, expected),
		  "'%s' does not say '%s'", e.msg, expected);
}

static int no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

Test(rights, without_what_it_takes)
{
	struct cgroup_found found;
	struct err e = {0};
	AUTO_CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (geteuid() != 0)
		cr_skip_test("needs root, to become a user who has nothing");
	cr_assert_eq(cgroup_find(root, &found, &e), 0, "%s", e.msg);
	expect_refused(NULL, found.version == 1
				     ? "cgroup v1, which cannot be handed to a plain user"
				     : "/etc/subuid gives user nobody no ids: usermod");
	expect_refused(no_new_privs, "no_new_privs is set");
}

Test(rights, root_has_them_and_gives_up_groups)
{
	struct err e = {0};
	gid_t group = 12345;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(setgroups(1, &group), 0);
	cr_assert_eq(rights_obtain(0, 0, &e), 0, "%s", e.msg);
	cr_expect_eq(getgroups(0, NULL), 0);
	cr_expect_eq(rights_user(), 0);
}
