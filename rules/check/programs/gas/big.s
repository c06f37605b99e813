	.globl main
main:	push %rbx
1:	mov $0x100000, %edi
	call malloc
	mov %rax, %rdi
	mov $1, %esi
	mov $0x100000, %edx
	call memset
	jmp 1b
	.section .note.GNU-stack, "", @progbits
