/* attack: expect=exited:0 processes=32 memory=128M layer=pids why=pids limit counts threads */
#include "attack.h"
#include <pthread.h>

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	int born = 0;
	pthread_attr_t small;

	bounded(15);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	while (born < 500) {
		pthread_t thread;

		if (pthread_create(&thread, &small, wait_for_ever, NULL))
			break;
		born++;
	}
	if (born > 100)
		escaped("%d threads at once, of 32 allowed", born);
	if (born < 8)
		broken("pthread_create failed too early for this limit");
	held();
}
