/* attack: expect=exited:0 layer=seccomp why=policy: no calls on keys, of whichever ring */
#include "attack.h"
#include <linux/keyctl.h>

/* Whoever has the same uid, or started the sandbox, may keep secrets in a ring that a process inherits. */
int main(void)
{
	static const int rings[] = {KEY_SPEC_THREAD_KEYRING, KEY_SPEC_PROCESS_KEYRING,
				    KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING,
				    KEY_SPEC_USER_SESSION_KEYRING};
	static char text[4096];

	for (size_t i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
		if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, rings[i], 1) >= 0)
			escaped("has ring %d", rings[i]);
		if (syscall(SYS_keyctl, KEYCTL_READ, rings[i], text, sizeof(text)) >= 0)
			escaped("reads ring %d", rings[i]);
		if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, rings[i], text, sizeof(text)) >= 0)
			escaped("describes ring %d", rings[i]);
	}
	for (int id = 1; id < 2000; id++)
		if (syscall(SYS_keyctl, KEYCTL_READ, id, text, sizeof(text)) >= 0)
			escaped("reads key %d", id);
	if (syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT) >= 0)
		escaped("gave its ring to its parent");
	held();
}
