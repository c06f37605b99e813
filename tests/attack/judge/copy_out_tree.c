/* attack: expect=exited:0|sandbox_error copyout=out layer=copy_out why=folders come out without links and special files */
#include "attack.h"

/* A folder of traps: links to a file and to a folder of the host, one upwards, a pipe nobody writes to, a set-uid program. */
int main(void)
{
	const char *canary = given("CANARY");
	char folder[256];
	int fd;

	snprintf(folder, sizeof(folder), "%s", canary);
	*strrchr(folder, '/') = 0;
	if (mkdir("out", 0777) < 0 || mkdir("out/deep", 0777) < 0 ||
	    symlink(canary, "out/file") < 0 || symlink(folder, "out/folder") < 0 ||
	    symlink("../../../..", "out/deep/up") < 0 ||
	    symlink("/proc/1/environ", "out/deep/environ") < 0)
		broken("traps");
	if (mkfifo("out/pipe", 0666) < 0)
		broken("mkfifo");
	fd = open("out/program", O_WRONLY | O_CREAT | O_CLOEXEC, 0777);
	if (fd < 0 || write(fd, "#!/bin/sh\n", 10) != 10 || fchmod(fd, 06777) < 0)
		broken("a set-uid program");
	held();
}
