# GNU assembler, linked by gcc with the C library
	.globl main
	.data
count:	.string "%ld"
pair:	.string "%ld %ld"
result:	.string "%ld\n"
	.lcomm n, 8
	.lcomm a, 8
	.lcomm b, 8
	.text
main:
	push %rbx
	lea count(%rip), %rdi
	lea n(%rip), %rsi
	xor %eax, %eax
	call scanf
	mov n(%rip), %rbx
1:	test %rbx, %rbx
	jle 2f
	lea pair(%rip), %rdi
	lea a(%rip), %rsi
	lea b(%rip), %rdx
	xor %eax, %eax
	call scanf
	mov a(%rip), %rsi
	add b(%rip), %rsi
	lea result(%rip), %rdi
	xor %eax, %eax
	call printf
	dec %rbx
	jmp 1b
2:	xor %eax, %eax
	pop %rbx
	ret
	.section .note.GNU-stack, "", @progbits
