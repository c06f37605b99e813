/* attack: expect=exited:0 layer=seccomp why=policy: segments, ports and shadow stacks are answered as by a kernel without them */
#include <sys/syscall.h>
	.globl main
main:	mov $SYS_modify_ldt, %eax
	mov $1, %edi		/* write an entry of 16 bits */
	lea entry(%rip), %rsi
	mov $16, %edx
	syscall
	test %rax, %rax
	jns bad
	mov $453, %eax		/* map_shadow_stack */
	xor %edi, %edi
	mov $4096, %esi
	xor %edx, %edx
	syscall
	test %rax, %rax
	jns bad
	mov $SYS_set_thread_area, %eax
	lea entry(%rip), %rdi
	syscall
	test %rax, %rax
	jns bad
	mov $5, %edx
	lea good(%rip), %rsi
	jmp say
bad:	mov $16, %edx
	lea through(%rip), %rsi
say:	mov $SYS_write, %eax
	mov $1, %edi
	syscall
	mov $SYS_exit_group, %eax
	xor %edi, %edi
	syscall
	.data
entry:	.long 0, 0, 0xfffff, 0x51
good:	.ascii "held\n"
through: .ascii "ESCAPED: a call\n"
	.section .note.GNU-stack,"",@progbits
