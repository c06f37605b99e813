/* attack: expect=exited:0 layer=ids why=one uid and gid in the user namespace */
#include "attack.h"
#include <sys/fsuid.h>

int main(void)
{
	uid_t real, effective, saved;

	if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getegid() == 0)
		escaped("is root");
	for (uid_t id = 0; id < 70000; id++) {
		if (id == getuid() || id == getgid())
			continue;
		if (setuid(id) == 0 || setreuid(id, id) == 0 || setresuid(id, id, id) == 0)
			escaped("uid %u", id);
		if (setgid(id) == 0 || setregid(id, id) == 0 || setresgid(id, id, id) == 0)
			escaped("gid %u", id);
	}
	setfsuid(0);
	if ((uid_t)setfsuid((uid_t)-1) == 0)
		escaped("fsuid 0");
	if (getresuid(&real, &effective, &saved) < 0 || real != effective || saved != real)
		escaped("uids %u %u %u", real, effective, saved);
	held();
}
