/* attack: expect=forbidden_syscall|signaled:11 layer=seccomp why=the filter's test of the ABI */
/* The 32-bit system call gate in a 64-bit program: number 20 is getpid there and writev here. */
	.globl main
main:
	push %rbx
	mov $20, %eax
	int $0x80
	lea told(%rip), %rdi
	call puts@PLT
	mov $66, %eax
	pop %rbx
	ret
told:	.asciz "ESCAPED: an i386 system call came back"
	.section .note.GNU-stack,"",@progbits
