/* attack: expect=exited:0 rounds=2 memory=64M later=16M time=3s layer=fresh_cgroup why=a peak is that of one run: who comes next does not start from it */
#include "attack.h"

/* The first round takes what it may, the second nearly nothing. */
int main(void)
{
	if (atoi(given("ROUND")) == 1)
		take_memory(40 << 20);
	held();
}
