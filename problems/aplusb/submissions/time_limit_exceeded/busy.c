/* Never ends, and uses the processor all the time. */
int main(void)
{
	volatile unsigned long turns = 0;

	for (;;)
		turns++;
}
