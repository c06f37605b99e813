/* attack: expect=exited:0 rounds=2 layer=readonly+ids why=what was kept of the first compile is what every test runs */
#include "attack.h"

/* It runs as /program/NAME, and would like the next test to run something else. */
int main(int argc, char **argv)
{
	const char *self = argc > 0 ? argv[0] : "";
	char beside[300];
	int fd;

	snprintf(beside, sizeof(beside), "%s.new", self);
	fd = open(self, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 || truncate(self, 0) == 0 || unlink(self) == 0 || chmod(self, 0777) == 0)
		escaped("changed %s", self);
	if (open(beside, O_WRONLY | O_CREAT | O_CLOEXEC, 0755) >= 0 || rename(self, beside) == 0 ||
	    symlink("/bin/true", beside) == 0)
		escaped("wrote beside %s", self);
	if (rename("/program", "/box/program") == 0 || rmdir("/program") == 0)
		escaped("moved /program");
	held();
}
