/* attack: expect=exited:0 processes=8 layer=nosuid+no_new_privs+userns why=set-uid files gain nothing: nosuid mounts, no_new_privs, an owner that has no name here */
#include "attack.h"

/* Whether the kernel keeps its eyes from us: it does from a process with more rights, proc(5). */
static int is_hidden(pid_t pid)
{
	char path[64], link[256];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, link, sizeof(link)) < 0;
}

/* Starts a program whose output goes to a full pipe, so that it stays where it is; 1 if it has gained rights. */
static int gains(const char *program)
{
	int full[2], started[2], hidden;
	char byte;
	pid_t pid;

	if (pipe(full) < 0 || pipe(started) < 0)
		broken("pipe");
	fcntl(full[1], F_SETFL, O_NONBLOCK);
	while (write(full[1], "", 1) > 0)
		;
	fcntl(full[1], F_SETFL, 0);
	fcntl(started[1], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		dup2(full[1], 1);
		dup2(full[1], 2);
		execl(program, program, "--help", NULL);
		_exit(1);
	}
	close(started[1]);
	if (pid < 0 || read(started[0], &byte, 1) != 0) /* the end of it is the exec */
		broken("fork");
	hidden = is_hidden(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(full[0]);
	close(full[1]);
	close(started[0]);
	return hidden;
}

int main(void)
{
	static const char *const programs[] = {"/usr/bin/mount", "/usr/bin/umount", "/usr/bin/su",
					       "/usr/bin/passwd", "/usr/bin/chfn"};

	bounded(20);
	if (gains("/bin/cat"))
		broken("an ordinary program is hidden");
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		struct stat st;

		if (stat(programs[i], &st) == 0 && st.st_mode & S_ISUID && gains(programs[i]))
			escaped("%s has rights that its caller lacks", programs[i]);
	}
	held();
}
