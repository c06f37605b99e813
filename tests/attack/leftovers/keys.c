/* attack: expect=exited:0 rounds=2 policy=network layer=seccomp why=policy: a key in the ring of a uid would be there for the next run */
#include "attack.h"
#include <linux/keyctl.h>

int main(void)
{
	static const int rings[] = {KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING,
				    KEY_SPEC_SESSION_KEYRING};

	for (size_t i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
		if (atoi(given("ROUND")) == 1)
			syscall(SYS_add_key, "user", "gavel-attack-mark", "letter", 6, rings[i]);
		else if (syscall(SYS_keyctl, KEYCTL_SEARCH, rings[i], "user", "gavel-attack-mark",
				 0) >= 0 ||
			 syscall(SYS_request_key, "user", "gavel-attack-mark", NULL, 0) >= 0)
			escaped("ring %d holds a letter", rings[i]);
	}
	held();
}
