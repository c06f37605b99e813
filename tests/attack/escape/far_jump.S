/* attack: expect=forbidden_syscall|signaled:11 layer=seccomp why=the filter's test of the ABI */
/* A far call into a 32-bit code segment: from there every system call is i386's. Number 20 is getpid there. */
	.globl main
main:
	push %rbx
	mov %rsp, %r12
	lea narrow_stack_end, %rsp
	lcall *target
	mov %r12, %rsp
	lea told, %rdi
	call puts
	mov $66, %eax
	pop %rbx
	ret
	.code32
narrow:
	mov $20, %eax
	int $0x80
	lret
	.code64
told:	.asciz "ESCAPED: an i386 system call came back"
	.data
target:	.long narrow
	.word 0x23
	.bss
	.align 16
	.skip 4096
narrow_stack_end:
	.skip 16
	.section .note.GNU-stack,"",@progbits
