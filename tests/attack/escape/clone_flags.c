/* attack: expect=forbidden_syscall:clone each=user,pid,mount,net,ipc,uts,cgroup,time layer=seccomp why=policy: no flag of clone makes a namespace */
#include "attack.h"
#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} table[] = {{"user", CLONE_NEWUSER},     {"pid", CLONE_NEWPID},  {"mount", CLONE_NEWNS},
		     {"net", CLONE_NEWNET},       {"ipc", CLONE_NEWIPC},  {"uts", CLONE_NEWUTS},
		     {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};

	for (size_t i = 0; argc > 1 && i < sizeof(table) / sizeof(*table); i++) {
		long pid;

		if (strcmp(table[i].name, argv[1]))
			continue;
		/* Together with a user namespace anybody may ask for the others. */
		pid = syscall(SYS_clone, CLONE_NEWUSER | table[i].flag | SIGCHLD, 0L, 0L, 0L, 0L);
		if (pid == 0)
			_exit(0);
		escaped("clone came back with %ld", pid);
	}
	broken("usage: clone_flags NAME");
}
