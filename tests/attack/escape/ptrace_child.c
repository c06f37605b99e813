/* attack: expect=forbidden_syscall:ptrace processes=8 layer=seccomp why=policy: nobody is traced, whose system calls could be changed after the filter has seen them */
#include "attack.h"
#include <sys/ptrace.h>
#include <sys/user.h>

/* The child asks for what is allowed, the tracer makes something else of it: before Linux 4.8 no filter looked again. */
int main(void)
{
	struct user_regs_struct regs;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(syscall(SYS_getpid) == 1 ? 1 : 0);
	}
	waitpid(pid, NULL, 0);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	waitpid(pid, NULL, 0);
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0) {
		regs.orig_rax = SYS_mount;
		ptrace(PTRACE_SETREGS, pid, 0, &regs);
		ptrace(PTRACE_DETACH, pid, 0, 0);
		escaped("changed a system call of its child");
	}
	broken("not traced, and nobody minds");
}
