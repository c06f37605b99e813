/* attack: expect=exited:0 layer=seccomp why=policy: options of prctl that reach further than the caller, or hide from those who watch it */
#include "attack.h"
#include <asm/prctl.h>
#include <sys/prctl.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#endif

int main(void)
{
	static char selector;
	static const struct {
		const char *name;
		unsigned long option, a, b, c, d;
	} table[] = {
		{"system calls sent elsewhere", PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0,
		 (unsigned long)&selector},
		{"a reaper of its own", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0},
		{"another map of its memory", PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0},
		{"capabilities that stay", PR_SET_KEEPCAPS, 1, 0, 0, 0},
		{"securebits", PR_SET_SECUREBITS, 0, 0, 0, 0},
		{"ambient capabilities", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0},
		{"everybody as its tracer", 0x59616d61 /* PR_SET_PTRACER */, -1UL, 0, 0, 0},
		{"a core of its own", PR_SCHED_CORE, 1, 0, 0, 0},
		{"the clock hidden", PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0},
		{"speculation", PR_SET_SPECULATION_CTRL, 0, 4, 0, 0},
		{"memory errors", PR_MCE_KILL, PR_MCE_KILL_SET, 1, 0, 0},
		{"endless io errors", PR_SET_IO_FLUSHER, 1, 0, 0, 0},
		{"strict mode, with another filter's answers", PR_SET_SECCOMP, 1, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (syscall(SYS_prctl, table[i].option, table[i].a, table[i].b, table[i].c,
			    table[i].d) >= 0)
			escaped("%s", table[i].name);
	if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0) == 0 ||
	    syscall(SYS_arch_prctl, 0x4001 /* 32-bit vdso */, 0) >= 0)
		escaped("arch_prctl");
	held();
}
