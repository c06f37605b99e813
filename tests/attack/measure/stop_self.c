/* attack: expect=wall_time_limit wall=2s layer=wall_time why=wall limit: a stopped process uses nothing and never ends */
#include "attack.h"

int main(void)
{
	raise(SIGSTOP);
	held();
}
