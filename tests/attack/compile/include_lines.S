/* attack: expect=exited:1 memory=256M time=5s layer=root why=an assembler quotes what it does not understand, but finds nothing to quote */
	.include CANARY_PATH
	.include "/etc/shadow"
	.globl main
main:	ret
