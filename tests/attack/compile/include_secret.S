/* attack: expect=exited:1 memory=256M time=5s layer=root why=the compiler sees no more than the program */
/* Bytes of a file become part of the program, which may print them later. */
	.globl main
main:	ret
	.data
	.incbin CANARY_PATH
