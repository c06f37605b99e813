/* attack: expect=cpu_time_limit layer=cpu_time why=CPU limit */
#include "attack.h"

int main(void)
{
	bounded(30);
	for (;;)
		;
}
