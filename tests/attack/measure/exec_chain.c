/* attack: expect=cpu_time_limit layer=cpu_count why=CPU time of the cgroup, which exec does not reset */
#include "attack.h"

int main(int argc, char **argv)
{
	char turn[16];

	if (argc > 1 && atoi(argv[1]) > 100000)
		escaped("100000 programs in a row");
	snprintf(turn, sizeof(turn), "%d", argc > 1 ? atoi(argv[1]) + 1 : 0);
	for (volatile int i = 0; i < 100000; i++)
		;
	execl("/proc/self/exe", argv[0], turn, NULL);
	broken("exec");
}
