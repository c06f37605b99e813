#include "sandbox/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/copy.h"
#include "sandbox/options.h"

#define INPUT_MAX (4ULL << 30)
#define CHUNK     65536

static int create(const char *option, const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);

	return fd < 0 ? err_sys(e, "%s: open %s", option, path) : fd;
}

int streams_open(struct streams *s, const struct options *o, struct err *e)
{
	*s = (struct streams){.source = -1,
			      .input = -1,
			      .files = {-1, -1},
			      .stdout_sink = o->stdout_path ? -1 : STDOUT_FILENO,
			      .stderr_sink = o->stderr_path ? -1 : STDERR_FILENO,
			      .input_path = o->stdin_path ? o->stdin_path : "standard input",
			      .paths = {o->stdout_path, o->stderr_path}};
	s->source = o->stdin_path ? open(o->stdin_path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
				  : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (s->source < 0)
		return err_sys(e, "--stdin: open %s", s->input_path);
	if (o->stdout_path && (s->files[0] = create("--stdout", o->stdout_path, e)) < 0)
		return -1;
	if (o->stderr_path && (s->files[1] = create("--stderr", o->stderr_path, e)) < 0)
		return -1;
	return 0;
}

_Noreturn static void pump(int from, int to)
{
	char chunk[CHUNK];
	struct err ignored;
	ssize_t n;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(from, 0) < 0 || dup2(to, 1) < 0)
		_exit(1);
	(void)close_range(2, ~0U, 0);
	for (;;) {
		n = read(0, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || io_write_all(1, chunk, (size_t)n, &ignored) < 0)
			_exit(0);
	}
}

static int start_pump(struct streams *s, struct err *e)
{
	int ends[2];
	pid_t self = getpid();

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	s->input = ends[0];
	s->input_is_pipe = 1;
	s->pump = fork();
	if (s->pump == 0) {
		(void)close(ends[0]);
		if (getppid() != self)
			_exit(1);
		pump(s->source, ends[1]);
	}
	(void)close(ends[1]);
	if (s->pump > 0)
		return 0;
	s->pump = 0;
	return err_sys(e, "fork");
}

int streams_start(struct streams *s, struct err *e)
{
	struct stat st;

	if (fstat(s->source, &st) < 0)
		return err_sys(e, "stat %s", s->input_path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, "--stdin: %s: is a folder", s->input_path);
	if (!S_ISREG(st.st_mode))
		return start_pump(s, e);
	s->input = copy_to_memfd(s->source, INPUT_MAX, e);
	return s->input < 0 ? err_wrap(e, "--stdin: %s", s->input_path) : 0;
}

int streams_deliver(const struct streams *s, const int *fds, size_t nfds, struct err *e)
{
	for (size_t i = 0; i < 2 && i < nfds; i++)
		if (s->files[i] >= 0 && copy_bytes(fds[i], s->files[i], e) < 0)
			return err_wrap(e, "%s", s->paths[i]);
	return 0;
}

void streams_stop(struct streams *s)
{
	if (s->pump <= 0)
		return;
	(void)kill(s->pump, SIGKILL);
	while (waitpid(s->pump, NULL, 0) < 0 && errno == EINTR)
		continue;
	s->pump = 0;
}

void streams_close(struct streams *s)
{
	int *fds[] = {&s->source, &s->input, &s->files[0], &s->files[1]};

	streams_stop(s);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		scope_close(fds[i]);
		*fds[i] = -1;
	}
}
