/* attack: expect=exited:0 layer=keyring+seccomp why=a session keyring of its own: not the one that the sandbox was started with */
#include "attack.h"

/* host.py has put a key into the session keyring of whoever starts the sandbox. */
int main(void)
{
	enum { READ = 11 };
	char text[64] = "";
	long key = syscall(SYS_request_key, "user", "gavel-attack-key", NULL, 0);

	if (key >= 0 && syscall(SYS_keyctl, READ, key, text, sizeof(text) - 1) > 0)
		escaped("read a key of the host's");
	held();
}
