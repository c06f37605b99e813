/* attack: expect=exited:0 rounds=2 processes=8 layer=fresh_pids why=the pid counter starts anew: it would say how much the run before has started */
#include "attack.h"

int main(void)
{
	int second = atoi(given("ROUND")) == 2;
	pid_t child = 0;

	for (int i = 0; i < (second ? 1 : 40); i++) {
		child = fork();
		if (child == 0)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) != child)
			broken("fork");
	}
	if (second && (getpid() > 40 || child > 40))
		escaped("is number %d, its child %d: somebody was here", getpid(), child);
	held();
}
