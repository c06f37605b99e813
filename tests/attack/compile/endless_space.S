/* attack: expect=exited:1|cpu_time_limit|memory_limit|signaled:25|wall_time_limit memory=256M box=16M time=4s layer=box_size,memory why=size of the box, memory limit: an object file of terabytes */
	.globl main
main:	ret
	.section .first, "aw", @progbits
	.space 1 << 40, 1
	.section .second, "aw", @progbits
	.balign 1 << 30
	.byte 1
