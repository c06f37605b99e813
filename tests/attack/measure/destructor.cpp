/* attack: expect=cpu_time_limit layer=cpu_time why=CPU limit: a program has not ended until its destructors have */
#include "attack.h"
#include <cstdlib>

/* main() returns at once; the work is done in destructors, at_quick_exit and atexit handlers. */
static void work()
{
	bounded(30);
	for (;;)
		;
}

struct Late {
	~Late()
	{
		work();
	}
};

static Late late;

int main()
{
	std::atexit(work);
	dprintf(1, "held\n");
	return 0;
}
