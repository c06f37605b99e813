/* attack: expect=exited:0 rounds=2 layer=stdio why=each run opens its input anew: where one stops reading is not where the next one starts */
#include "attack.h"

/* The client passes the same memory file to both rounds. */
int main(void)
{
	char text[64] = "";
	off_t at = lseek(0, 0, SEEK_CUR);

	if (at > 0)
		escaped("the input begins at byte %ld", (long)at);
	if (read(0, text, sizeof(text) - 1) <= 0 || strcmp(text, "input of the attack\n"))
		escaped("the input is '%s'", text);
	lseek(0, 12345, SEEK_SET);
	fcntl(0, F_SETFL, O_NONBLOCK | O_APPEND | O_ASYNC);
	fcntl(1, F_SETFL, O_NONBLOCK | O_ASYNC);
	held();
}
