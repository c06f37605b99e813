#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/landlock.h"
#include "proto/scope.h"

/* What a process under a ruleset tries in a folder: 0 or the errno it met. */
typedef int attempt(const char *dir);

enum { ABI_SCOPED = 6, NOT_CONFINED = 250 };

/* The outcome in a child that may read everything and has `what` in dir; without Landlock at all if what is NONE. */
#define NONE UINT64_MAX
static int under(uint64_t what, const char *dir, attempt *try)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct err e = {0};
		int rules = what == NONE ? -1 : landlock_new(0, &e);

		if (what != NONE &&
		    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || rules < 0 ||
		     landlock_grant(rules, "/", LANDLOCK_READ, &e) < 0 ||
		     landlock_grant(rules, dir, what, &e) < 0 || landlock_enter(rules, &e) < 0))
			_exit(NOT_CONFINED);
		_exit(try(dir));
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char folder[] = "/tmp/gavel-test-landlock-XXXXXX";

static void setup(void)
{
	if (landlock_abi() == 0)
		cr_skip_test("this kernel has no Landlock");
	cr_assert_not_null(mkdtemp(folder));
}

static void teardown(void)
{
	if (landlock_abi() > 0)
		cr_expect_eq(rmdir(folder), 0);
}

TestSuite(landlock, .init = setup, .fini = teardown, .timeout = 60);

static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

static void path_in(const char *dir, char path[200])
{
	snprintf(path, 200, "%s/file", dir);
}

static int make_file(const char *dir)
{
	char path[200];

	path_in(dir, path);
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? errno : outcome(unlink(path));
}

static int make_device(const char *dir)
{
	char path[200];

	path_in(dir, path);
	if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) < 0)
		return errno;
	return outcome(unlink(path));
}

static int move_between(const char *dir)
{
	char from[200], to[220];
	int rc;

	path_in(dir, from);
	snprintf(to, sizeof(to), "%s/below", dir);
	if (mkdir(to, 0700) < 0)
		return errno;
	snprintf(to, sizeof(to), "%s/below/file", dir);
	AUTO_CLOSE int fd = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	rc = fd < 0 ? errno : outcome(rename(from, to));
	(void)unlink(to);
	(void)unlink(from);
	*strrchr(to, '/') = '\0';
	return rc ? rc : outcome(rmdir(to));
}

static int signal_parent(const char *dir)
{
	(void)dir;
	return outcome(kill(getppid(), 0));
}

static struct sockaddr_un abstract_name(socklen_t *size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", folder);

	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	return a;
}

static int connect_abstract(const char *dir)
{
	socklen_t size;
	struct sockaddr_un a = abstract_name(&size);
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)dir;
	return fd < 0 ? NOT_CONFINED : outcome(connect(fd, (struct sockaddr *)&a, size));
}

Test(landlock, only_what_is_granted)
{
	cr_expect_eq(under(LANDLOCK_KEEP, folder, make_file), 0);
	cr_expect_eq(under(LANDLOCK_KEEP, folder, move_between), 0);
	cr_expect_eq(under(LANDLOCK_READ, folder, make_file), EACCES);
	cr_expect_eq(under(NONE, folder, make_file), 0);
}

/* Refused in the folder that may be written to, even to root, and before anything else is asked. */
Test(landlock, no_devices_are_made)
{
	cr_expect_eq(under(LANDLOCK_KEEP, folder, make_device), EACCES);
	cr_expect_eq(under(NONE, folder, make_device), geteuid() == 0 ? 0 : EPERM);
}

Test(landlock, nobody_outside_is_reached)
{
	socklen_t size;
	struct sockaddr_un a = abstract_name(&size);
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (landlock_abi() < ABI_SCOPED) {
		teardown(); /* a skipped test has none */
		cr_skip_test("Landlock of this kernel has no scopes: version %d", landlock_abi());
	}
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, size), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_expect_eq(under(LANDLOCK_KEEP, folder, signal_parent), EPERM);
	cr_expect_eq(under(LANDLOCK_KEEP, folder, connect_abstract), EPERM);
	cr_expect_eq(under(NONE, folder, signal_parent), 0);
	cr_expect_eq(under(NONE, folder, connect_abstract), 0);
}

Test(landlock, a_path_that_is_not_there_is_named)
{
	struct err e = {0};
	AUTO_CLOSE int rules = landlock_new(0, &e);

	cr_assert_geq(rules, 0, "%s", e.msg);
	cr_expect_eq(landlock_grant(rules, "/nowhere/at/all", LANDLOCK_READ, &e), -1);
	cr_expect_eq(e.num, ENOENT);
	cr_expect_not_null(strstr(e.msg, "/nowhere/at/all"), "%s", e.msg);
}
