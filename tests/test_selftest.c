#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/selftest_list.h"
#include "sandbox/selftest_traps.h"

typedef void spring(const struct traps *t);

static void touch_nothing(const struct traps *t)
{
	(void)t;
}

static void write_canary(const struct traps *t)
{
	AUTO_CLOSE int fd = open(t->canary, O_WRONLY | O_APPEND | O_CLOEXEC);

	cr_assert_eq(write(fd, "x", 1), 1);
}

static void change_mode(const struct traps *t)
{
	cr_assert_eq(chmod(t->input, 0600), 0);
}

static void stop_victim(const struct traps *t)
{
	cr_assert_eq(kill(t->victim, SIGSTOP), 0);
	(void)usleep(100000);
}

static void kill_victim(const struct traps *t)
{
	cr_assert_eq(kill(t->victim, SIGKILL), 0);
	(void)usleep(100000);
}

static void visit(const struct traps *t)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)t->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
			0); /* stays open until this process ends */

	cr_assert_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
}

static void leave_orphan(const struct traps *t)
{
	pid_t pid = fork();

	(void)t;
	if (pid == 0) {
		if (fork() == 0)
			for (;;)
				pause();
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

static void copy_link(const struct traps *t)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/out/1", t->work);
	cr_assert_eq(symlink("/etc/passwd", path), 0);
}

static void copy_secret(const struct traps *t)
{
	char path[PATH_MAX + 16];
	struct err e;

	snprintf(path, sizeof(path), "%s/out/1", t->work);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_eq(io_write_all(fd, t->secret, strlen(t->secret), &e), 0);
}

static void leave_mount(const struct traps *t)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/out", t->work);
	cr_assert_eq(mount("none", path, "tmpfs", 0, "size=4k"), 0);
}

/* As root perhaps, the sandbox opens files there by name: a link that another user has put there would be followed. */
static void look_at_folders(const struct traps *t)
{
	static const char *const names[] = {"", "/secret", "/out"};
	char path[PATH_MAX + 16];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s%s", t->work, names[i]);
		cr_assert(lstat(path, &st) == 0 && S_ISDIR(st.st_mode), "%s", path);
		cr_assert_eq(st.st_uid, geteuid(), "%s", path);
		cr_assert_eq(st.st_mode & 022, 0, "%s: %o", path, st.st_mode);
	}
	copy_link(t); /* which is noticed if all of this was looked at */
}

/* What traps_check() says after that has happened, "" if nothing: in a process of its own, which orphans come to. */
static const char *said_after(spring *what)
{
	static char said[300];
	char work[] = "/tmp/gavel-traps-XXXXXX";
	int ends[2];

	cr_assert_not_null(mkdtemp(work));
	cr_assert_eq(pipe(ends), 0);
	if (fork() == 0) {
		struct traps t;
		struct err e = {0};

		if (traps_set(&t, work, &e) == 0) {
			what(&t);
			if (traps_check(&t, &e) == 0)
				e.msg[0] = '\0';
		}
		traps_clear(&t);
		(void)io_write_all(ends[1], e.msg, strlen(e.msg), &e);
		_exit(0);
	}
	(void)close(ends[1]);
	said[0] = '\0';
	for (size_t len = 0, n = 1; n > 0; len += n, said[len] = '\0')
		n = (size_t)read(ends[0], said + len, sizeof(said) - len - 1);
	(void)close(ends[0]);
	cr_assert_gt(wait(NULL), 0);
	/* The folder and what is in it: three levels, known names. */
	static const char *const names[] = {"/secret/canary", "/out/1", "/secret",
					    "/out",           "/input", ""};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s%s", work, names[i]);
		cr_expect(remove(path) == 0 || strcmp(names[i], "/out/1") == 0, "%s", path);
	}
	return said;
}

Test(selftest, traps_say_what_has_sprung_them, .timeout = 60)
{
	static const struct {
		spring *what;
		const char *said;
	} cases[] = {
		{write_canary, "changed: canary"},
		{change_mode, "changed: input"},
		{look_at_folders, "no plain file"},
		{stop_victim, "stopped"},
		{kill_victim, "killed"},
		{visit, "server of the host was reached"},
		{leave_orphan, "a process was left"},
		{copy_link, "no plain file"},
		{copy_secret, "secret came out"},
		{leave_mount, "a mount was left"},
	};

	cr_expect_str_eq(said_after(touch_nothing), "");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (cases[i].what == leave_mount && geteuid() != 0)
			continue;
		const char *said = said_after(cases[i].what);

		cr_expect_not_null(strstr(said, cases[i].said), "'%s' instead of '%s'", said,
				   cases[i].said);
	}
}

static void read_list(struct attack_list *l, const char *text, const char *layers)
{
	char folder[] = "/tmp/gavel-list-XXXXXX";
	char path[2][64];
	struct err e = {0};

	cr_assert_not_null(mkdtemp(folder));
	for (int i = 0; i < 2; i++) {
		AUTO_CLOSE int fd = -1;

		snprintf(path[i], sizeof(path[i]), "%s/%s", folder, i ? "layers" : "list");
		fd = open(path[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		cr_assert_eq(io_write_all(fd, i ? layers : text, strlen(i ? layers : text), &e), 0);
	}
	cr_expect_eq(attack_list_read(l, folder, &e), 0, "%s", e.msg);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(unlink(path[i]), 0);
	cr_assert_eq(rmdir(folder), 0);
}

Test(selftest, an_attack_is_here_once_for_each_of_its_cases)
{
	struct attack_list l = {0};

	read_list(&l,
		  "a/one.c expect=exited:0 layer=x,y+zz why=w w\n"
		  "b/two.py expect=forbidden_syscall:{} each=p,q policy={}-{} layer=y why=v\n",
		  "# x | no | comment\nx | how | what x does\nzz| how|zzz; more\n");
	cr_assert_eq(l.n, 3);
	cr_expect_str_eq(l.at[0].name, "a/one");
	cr_expect_str_eq(l.at[0].program, "one");
	cr_expect_str_eq(l.at[0].why, "w w");
	cr_expect_null(l.at[0].word);
	cr_expect_str_eq(l.at[2].name, "b/two:q");
	cr_expect_str_eq(l.at[2].program, "two.py");
	cr_expect_str_eq(l.at[2].word, "q");
	cr_expect_str_eq(attack_key(&l.at[2], "expect", ""), "forbidden_syscall:q");
	cr_expect_str_eq(attack_key(&l.at[2], "policy", ""), "q-q");
	cr_expect_str_eq(attack_key(&l.at[2], "time", "1s"), "1s");
	cr_expect(attack_is_python(&l.at[2]) && !attack_is_python(&l.at[0]));
	cr_expect(attack_has_layer(&l.at[0], "zz", 2) && !attack_has_layer(&l.at[0], "z", 1));
	cr_expect_eq(strncmp(attack_layer_text(&l, "x", 1), "what x does\n", 12), 0);
	cr_expect_eq(strncmp(attack_layer_text(&l, "zz", 2), "zzz; more", 9), 0);
	cr_expect_str_eq(attack_layer_text(&l, "y", 1), "");
	attack_list_release(&l);
}

Test(selftest, attacks_are_found_by_group_file_case_and_layer)
{
	struct attack_list l = {0};

	read_list(&l, "a/one.c expect=e each=p,q layer=x,y+zz why=w\n", "");
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = {"a", "one", "a/one", "zz", "x"};

		cr_expect(attack_is_called(&l.at[0], names[i]), "%s", names[i]);
	}
	cr_expect(attack_is_called(&l.at[1], "one:q") && attack_is_called(&l.at[1], "a/one:q"));
	cr_expect(!attack_is_called(&l.at[0], "one:q") && !attack_is_called(&l.at[0], "on") &&
		  !attack_is_called(&l.at[0], "a/") && !attack_is_called(&l.at[0], ""));
	attack_list_release(&l);
}
