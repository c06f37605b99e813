/* attack: expect=exited:1|signaled:11|cpu_time_limit|memory_limit|output_limit|wall_time_limit memory=256M output=256K time=4s layer=memory,cpu_time why=limits of the compile: a compiler's stack */
/* A million parentheses, one in the other: who parses them by recursion needs as much stack. */
#define A (((((((((((((((((
#define B A A A A A A A A A A A A A A A A
#define C B B B B B B B B B B B B B B B B
#define D C C C C C C C C C C C C C C C C
#define E D D D D D D D D D D D D D D D D
int main()
{
	return E 1;
}
