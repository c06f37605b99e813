/* attack: expect=exited:0|forbidden_syscall:{} each=adjtimex,clock_adjtime,clock_settime,settimeofday layer=seccomp why=policy: the machine's clock is not even asked through the calls that set it */
#include "attack.h"
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	struct timex asked = {0};
	struct timespec now;
	struct timeval tv;

	clock_gettime(CLOCK_REALTIME, &now);
	gettimeofday(&tv, NULL);
	/* What the clock says already, so that nothing is harmed. */
	if (!strcmp(way, "adjtimex") && syscall(SYS_adjtimex, &asked) >= 0)
		escaped("adjtimex");
	if (!strcmp(way, "clock_adjtime") &&
	    syscall(SYS_clock_adjtime, CLOCK_REALTIME, &asked) >= 0)
		escaped("clock_adjtime");
	if (!strcmp(way, "clock_settime") && syscall(SYS_clock_settime, CLOCK_REALTIME, &now) >= 0)
		escaped("set the clock");
	if (!strcmp(way, "settimeofday") && syscall(SYS_settimeofday, &tv, NULL) >= 0)
		escaped("set the time of day");
	held();
}
