/* attack: expect=exited:0 layer=oom_score,proc+landlock why=/proc is read-only, and the score was raised before the program's ids */
#include "attack.h"

/* Survive at the host's expense: when memory is short, let somebody else be killed. */
int main(void)
{
	char score[16] = {0};
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, score, sizeof(score) - 1) <= 0)
		broken("oom_score_adj");
	if (atoi(score) != 1000)
		escaped("is not the first to go: %s", score);
	fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && write(fd, "0", 1) == 1)
		escaped("lowered its score");
	fd = open("/proc/thread-self/comm", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		escaped("/proc can be written to");
	held();
}
