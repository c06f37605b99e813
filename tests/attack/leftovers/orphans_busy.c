/* attack: expect=exited:0 processes=8 layer=kill+pidns why=the end of the program is the end of its cell's processes */
#include "attack.h"

/* The children use the processor long after their parent, and the run, have ended. */
int main(void)
{
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			bounded(30);
			for (;;)
				;
		}
	held();
}
