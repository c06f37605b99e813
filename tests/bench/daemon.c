#include "tests/bench/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

static _Noreturn void become(const struct daemon *d, const char *bin, unsigned cells,
			     const char *log)
{
	char programs[16];
	int out = open(log ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	snprintf(programs, sizeof(programs), "%u", cells - 1);
	const char *const argv[] = {bin,       "--socket", d->dir,         "--rules", "rules",
				    "--cells", programs,   "--jury-cells", "1",       NULL};

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)dup2(out, 1);
	(void)dup2(out, 2);
	(void)execv(bin, (char *const *)argv);
	_exit(127);
}

int daemon_start(struct daemon *d, const char *bin, unsigned cells, const char *log, struct err *e)
{
	*d = (struct daemon){.dir = "/tmp/gavel-bench-XXXXXX"};
	if (!mkdtemp(d->dir))
		return err_sys(e, "mkdtemp %s", d->dir);
	snprintf(d->program, sizeof(d->program), "%s/program.sock", d->dir);
	snprintf(d->jury, sizeof(d->jury), "%s/jury.sock", d->dir);
	d->pid = fork();
	if (d->pid == 0)
		become(d, bin, cells, log);
	return d->pid < 0 ? err_sys(e, "fork") : 0;
}

int daemon_stop(struct daemon *d, struct err *e)
{
	int status = 0;

	if (d->pid <= 0)
		return 0;
	(void)kill(d->pid, SIGTERM);
	while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
		;
	d->pid = 0;
	(void)unlink(d->program);
	(void)unlink(d->jury);
	if (rmdir(d->dir) < 0)
		return err_sys(e, "rmdir %s", d->dir);
	return status == 0 ? 0 : err_set(e, "sandboxd ended with status 0x%x", (unsigned)status);
}

struct sandbox_client *daemon_connect(const char *socket, struct err *e)
{
	int64_t ends = io_monotonic_us() + DAEMON_PATIENCE_MS * 1000LL;
	struct sandbox_client *c;

	while (!(c = sandbox_client_open(socket, DAEMON_PATIENCE_MS, e)) &&
	       io_monotonic_us() < ends)
		(void)usleep(500);
	return c;
}

static int pss_of(pid_t pid, double *bytes, struct err *e)
{
	char path[64];
	char line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return err_sys(e, "open %s", path);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "Pss:", 4) == 0)
			*bytes += strtod(line + 4, NULL) * 1024;
	(void)fclose(f);
	return 0;
}

int daemon_pss(pid_t pid, double *bytes, unsigned *processes, struct err *e)
{
	char path[64];
	char children[4096] = "";
	FILE *f;

	if (pss_of(pid, bytes, e) < 0)
		return -1;
	(*processes)++;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (!f)
		return err_sys(e, "open %s", path);
	if (!fgets(children, sizeof(children), f))
		children[0] = '\0';
	(void)fclose(f);
	for (char *at = children, *end;; at = end) {
		long child = strtol(at, &end, 10);

		if (end == at)
			return 0;
		if (daemon_pss((pid_t)child, bytes, processes, e) < 0)
			return -1;
	}
}
