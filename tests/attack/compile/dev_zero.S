/* attack: expect=cpu_time_limit|wall_time_limit|memory_limit|exited:1 memory=256M time=3s layer=cpu_time why=limits of the compile */
	.data
	.incbin "/dev/zero"
