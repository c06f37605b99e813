/* attack: expect=exited:0|memory_limit|cpu_time_limit memory=32M time=2s layer=memory why=memory limit counts what waits for events */
#include "attack.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Each of a hundred pollers watches each of a hundred events, in eight processes' worth of descriptors. */
int main(void)
{
	int events[100], watches = 0;

	for (int i = 0; i < 100; i++)
		if ((events[i] = eventfd(0, EFD_CLOEXEC)) < 0)
			broken("eventfd");
	for (int i = 0; i < 140; i++) {
		int poller = epoll_create1(EPOLL_CLOEXEC);

		if (poller < 0)
			break;
		for (int k = 0; k < 100; k++) {
			struct epoll_event e = {.events = EPOLLIN};

			watches += epoll_ctl(poller, EPOLL_CTL_ADD, events[k], &e) == 0;
		}
	}
	if (watches == 0)
		broken("epoll_ctl");
	for (int i = 0; i < 20000; i++) /* one event wakes all pollers, in the kernel */
		if (write(events[i % 100], &(uint64_t){1}, 8) < 0)
			break;
	held();
}
