/* No honest program traces itself. If the call is merely refused this fails all the same. */
#include <sys/ptrace.h>

int main(void)
{
	return ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? 2 : 1;
}
