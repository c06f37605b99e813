/* attack: expect=forbidden_syscall:ptrace layer=seccomp why=policy: asking to be traced is refused like tracing */
#include <sys/syscall.h>
	.globl main
main:	mov $SYS_ptrace, %eax
	xor %edi, %edi		/* PTRACE_TRACEME */
	xor %esi, %esi
	xor %edx, %edx
	xor %r10d, %r10d
	syscall
	mov $66, %edi
	mov $SYS_exit_group, %eax
	syscall
	.section .note.GNU-stack,"",@progbits
