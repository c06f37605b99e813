/* attack: expect=exited:0|exited:1|cpu_time_limit|memory_limit|wall_time_limit memory=256M time=3s layer=cpu_time why=limits of the compile: one function that is never done being improved */
#define A                                                                                          \
	x = x * 3 + y;                                                                             \
	if (x & 1)                                                                                 \
		y ^= x;                                                                            \
	else                                                                                       \
		x ^= y;
#define B A A A A A A A A A A
#define C B B B B B B B B B B
#define D C C C C C C C C C C
int main(int argc, char **argv)
{
	int x = argc, y = (int)(long)argv;

	for (int i = 0; i < argc; i++)
		for (int k = 0; k < x; k++) {
			D D D D D
		}
	return x + y;
}
