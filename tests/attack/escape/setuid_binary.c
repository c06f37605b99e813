/* attack: expect=exited:0 processes=8 layer=nosuid why=nosuid mounts, no_new_privs, unmapped owner */
#include "attack.h"
#include <sys/statvfs.h>

/* The effective uid of a process, read while it cannot go on. */
static int euid_of(pid_t pid)
{
	char path[64], line[256];
	int euid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Uid: %*d %d", &euid) == 1)
			break;
	if (f)
		fclose(f);
	return euid;
}

/* Starts a set-uid program of the system with a full pipe as its output, so that it stays where it is. */
int main(void)
{
	static const char *const programs[] = {"/usr/bin/mount", "/usr/bin/umount", "/usr/bin/su",
					       "/usr/bin/passwd", "/usr/bin/chfn"};
	struct statvfs usr;
	int tried = 0;

	bounded(20);
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		struct stat st;
		int full[2];
		pid_t pid;

		if (stat(programs[i], &st) < 0 || !(st.st_mode & S_ISUID))
			continue;
		tried++;
		if (pipe(full) < 0)
			broken("pipe");
		fcntl(full[1], F_SETFL, O_NONBLOCK);
		while (write(full[1], "full", 4) > 0)
			;
		while (write(full[1], "", 1) > 0)
			;
		fcntl(full[1], F_SETFL, 0);
		pid = fork();
		if (pid == 0) {
			dup2(full[1], 1);
			dup2(full[1], 2);
			execl(programs[i], programs[i], "--help", NULL);
			_exit(1);
		}
		usleep(100000);
		if (euid_of(pid) == 0)
			escaped("%s runs as root", programs[i]);
		close(full[0]);
		close(full[1]);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (statvfs("/usr", &usr) < 0 || statvfs("/usr/bin/env", &usr) < 0)
		broken("statvfs");
	if (!(usr.f_flag & ST_NOSUID))
		escaped("/usr honours set-uid files (%d tried)", tried);
	held();
}
