#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge/config.h"
#include "judge/confine.h"
#include "proto/err.h"
#include "proto/landlock.h"
#include "proto/scope.h"

/* A folder of its own with what a judged has: state, rules, and something beside them that is none of its business. */
struct place {
	char dir[64], state[80], rules[80], rule[96], secret[80];
	struct config config;
};

static void touch(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	cr_assert_geq(fd, 0, "%s", path);
}

static void place_open(struct place *p)
{
	char url[100];
	struct err e = {0};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	cr_skip_test("a build with a sanitizer is not confined");
#endif
	snprintf(p->dir, sizeof(p->dir), "/tmp/gavel-confine-XXXXXX");
	cr_assert_not_null(mkdtemp(p->dir));
	snprintf(p->state, sizeof(p->state), "%s/state", p->dir);
	snprintf(p->rules, sizeof(p->rules), "%s/rules", p->dir);
	snprintf(p->rule, sizeof(p->rule), "%s/rule", p->rules);
	snprintf(p->secret, sizeof(p->secret), "%s/secret", p->dir);
	cr_assert_eq(mkdir(p->rules, 0777), 0);
	touch(p->rule);
	touch(p->secret);
	snprintf(url, sizeof(url), "sqlite:%s", p->state);
	cr_assert_eq(config_init(&p->config, &e), 0);
	cr_assert_eq(config_set(&p->config, "state", url, &e), 0);
	cr_assert_eq(config_set(&p->config, "rules", p->rules, &e), 0);
}

static void place_close(struct place *p)
{
	char file[100];

	snprintf(file, sizeof(file), "%s/file", p->state);
	(void)unlink(file);
	(void)rmdir(p->state);
	(void)unlink(p->rule);
	(void)rmdir(p->rules);
	(void)unlink(p->secret);
	cr_expect_eq(rmdir(p->dir), 0);
	config_release(&p->config);
}

/* What a confined process tries: 0 or the errno it met. */
typedef int attempt(const struct place *p);

enum { NOT_CONFINED = 250 };

/* The exit code of a confined child that made the attempt, or 256 + the signal it died of. */
static int confined(const struct place *p, attempt *try)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct err e = {0};

		if (confine(&p->config, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			_exit(NOT_CONFINED);
		}
		_exit(try(p));
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

static int read_rule(const struct place *p)
{
	return outcome(open(p->rule, O_RDONLY | O_CLOEXEC));
}

static int write_rule(const struct place *p)
{
	return outcome(open(p->rule, O_WRONLY | O_CLOEXEC));
}

static int write_state(const struct place *p)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/file", p->state);
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	return outcome(ftruncate(fd, 10) < 0 || fdatasync(fd) < 0 ? -1 : 0);
}

static int read_beside(const struct place *p)
{
	return outcome(open(p->secret, O_RDONLY | O_CLOEXEC));
}

static int read_passwd(const struct place *p)
{
	(void)p;
	return outcome(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int list_root(const struct place *p)
{
	(void)p;
	return outcome(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int become_program(const struct place *p)
{
	char *const argv[] = {(char *)"true", NULL};

	(void)p;
	return outcome(execv("/bin/true", argv));
}

static int have_child(const struct place *p)
{
	pid_t pid = fork();

	(void)p;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static void *nothing(void *arg)
{
	return arg;
}

static int have_thread(const struct place *p)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, nothing, NULL);

	(void)p;
	return rc ? rc : pthread_join(t, NULL);
}

static int write_code(const struct place *p)
{
	(void)p;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? errno
		       : 0;
}

static int run_data(const struct place *p)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)p;
	return page == MAP_FAILED ? NOT_CONFINED
				  : outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int signal_parent(const struct place *p)
{
	(void)p;
	return outcome(kill(getppid(), 0));
}

static int signal_self(const struct place *p)
{
	(void)p;
	return outcome(kill(getpid(), 0));
}

static int open_packet_socket(const struct place *p)
{
	(void)p;
	return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

static int connect_out(const struct place *p)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)p;
	if (fd < 0)
		return NOT_CONFINED;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return outcome(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static int have_privilege(const struct place *p)
{
	(void)p;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? NOT_CONFINED : errno;
}

static int trace(const struct place *p)
{
	(void)p;
	return outcome(syscall(SYS_ptrace, 0, 0, 0, 0));
}

static int unknown_call(const struct place *p)
{
	(void)p;
	return outcome(syscall(999));
}

Test(confine, files, .timeout = 60)
{
	struct place p;

	if (landlock_abi() == 0)
		cr_skip_test("no Landlock");
	place_open(&p);
	cr_expect_eq(confined(&p, read_rule), 0);
	cr_expect_eq(confined(&p, write_rule), EACCES);
	cr_expect_eq(confined(&p, write_state), 0);
	cr_expect_eq(confined(&p, read_beside), EACCES);
	cr_expect_eq(confined(&p, read_passwd), EACCES);
	cr_expect_eq(confined(&p, list_root), EACCES);
	if (landlock_abi() >= 4)
		cr_expect_eq(confined(&p, connect_out), EACCES);
	place_close(&p);
}

Test(confine, calls, .timeout = 60)
{
	struct place p;

	place_open(&p);
	cr_expect_eq(confined(&p, become_program), 256 + SIGSYS);
	cr_expect_eq(confined(&p, have_child), 256 + SIGSYS);
	cr_expect_eq(confined(&p, trace), 256 + SIGSYS);
	cr_expect_eq(confined(&p, have_thread), 0);
	cr_expect_eq(confined(&p, write_code), EPERM);
	cr_expect_eq(confined(&p, run_data), EPERM);
	cr_expect_eq(confined(&p, signal_parent), EPERM);
	cr_expect_eq(confined(&p, signal_self), 0);
	cr_expect_eq(confined(&p, open_packet_socket), EPERM);
	cr_expect_eq(confined(&p, unknown_call), EPERM);
	cr_expect_eq(confined(&p, have_privilege), EPERM); /* prctl itself: only names are set */
	place_close(&p);
}

/* Without the two layers each of these succeeds: it is they that refuse. */
Test(confine, off_is_off, .timeout = 60)
{
	static attempt *const attempts[] = {write_rule, read_beside, read_passwd,   list_root,
					    have_child, write_code,  signal_parent, become_program};
	struct place p;
	struct err e = {0};

	place_open(&p);
	cr_assert_eq(config_set(&p.config, "confine", "off", &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
		cr_expect_eq(confined(&p, attempts[i]), 0, "attempt %zu", i);
	place_close(&p);
}

Test(confine, required_is_what_this_kernel_has, .timeout = 60)
{
	struct place p;
	struct err e = {0};

	place_open(&p);
	cr_assert_eq(config_set(&p.config, "confine", "required", &e), 0);
	cr_expect_eq(confined(&p, read_rule), landlock_abi() == 0 ? NOT_CONFINED : 0);
	place_close(&p);
}
