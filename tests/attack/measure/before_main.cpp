/* attack: expect=cpu_time_limit layer=cpu_time why=CPU limit: the clock runs from exec, not from main */
#include "attack.h"

__attribute__((constructor)) static void early()
{
	bounded(30);
	for (;;)
		;
}

int main()
{
	escaped("main was reached");
}
