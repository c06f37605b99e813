	global main
	extern puts
	default rel
	section .data
text:	db "7", 0
	section .text
main:
	push rbx
	lea rdi, [text]
	call puts
	xor eax, eax
	pop rbx
	ret
	section .note.GNU-stack noalloc noexec nowrite progbits
