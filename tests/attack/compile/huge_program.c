/* attack: expect=exited:1|cpu_time_limit|memory_limit|signaled:25|output_limit memory=256M box=16M time=8s layer=box_size why=size of the box */
/* A small source, and a program of 8 GB. */
char everything[1L << 33] = {1};
int main(void)
{
	return everything[5];
}
