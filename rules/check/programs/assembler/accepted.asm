; NASM, linked by gcc with the C library
	global main
	extern scanf, printf
	default rel
	section .data
count:	db "%ld", 0
pair:	db "%ld %ld", 0
result:	db "%ld", 10, 0
	section .bss
n:	resq 1
a:	resq 1
b:	resq 1
	section .text
main:
	push rbx
	lea rdi, [count]
	lea rsi, [n]
	xor eax, eax
	call scanf
	mov rbx, [n]
.next:
	test rbx, rbx
	jle .done
	lea rdi, [pair]
	lea rsi, [a]
	lea rdx, [b]
	xor eax, eax
	call scanf
	mov rsi, [a]
	add rsi, [b]
	lea rdi, [result]
	xor eax, eax
	call printf
	dec rbx
	jmp .next
.done:
	xor eax, eax
	pop rbx
	ret
	section .note.GNU-stack noalloc noexec nowrite progbits
