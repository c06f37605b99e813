/* attack: expect=forbidden_syscall layer=seccomp why=the filter's test of the ABI */
/* getpid with the x32 bit: a filter that compares numbers only does not know it. */
	.globl main
main:
	push %rbx
	mov $0x40000027, %eax
	syscall
	lea told(%rip), %rdi
	call puts@PLT
	mov $66, %eax
	pop %rbx
	ret
told:	.asciz "ESCAPED: an x32 system call came back"
	.section .note.GNU-stack,"",@progbits
