/* attack: expect=cpu_time_limit|wall_time_limit|memory_limit|exited:1|signaled:25 memory=256M box=16M time=5s layer=box_size why=limits of the compile */
/* The assembler keeps what it repeats in memory, and what it makes of it in a file. */
	.data
	.rept 1000000
	.rept 1000000
	.quad 1
	.endr
	.endr
