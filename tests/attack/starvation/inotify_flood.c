/* attack: expect=exited:0 layer=seccomp why=policy: no watches on files, of which the whole machine has so many */
#include "attack.h"
#include <sys/inotify.h>

int main(void)
{
	int instances = 0, watches = 0;

	while (instances < 100 && inotify_init1(IN_NONBLOCK | IN_CLOEXEC) >= 0)
		instances++;
	for (char name[32]; instances > 0 && watches < 5000; watches++) {
		snprintf(name, sizeof(name), "watched%d", watches);
		close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		if (inotify_add_watch(3, name, IN_ALL_EVENTS) < 0)
			break;
	}
	if (instances > 0)
		escaped("%d instances and %d watches of the user's", instances, watches);
	held();
}
