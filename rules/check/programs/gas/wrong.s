	.globl main
	.data
text:	.string "7"
	.text
main:
	push %rbx
	lea text(%rip), %rdi
	call puts
	xor %eax, %eax
	pop %rbx
	ret
	.section .note.GNU-stack, "", @progbits
