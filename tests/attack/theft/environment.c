/* attack: expect=exited:0 layer=environment why=an environment made from the rule alone */
#include "attack.h"

extern char **environ;

/* run.py has SECRET_OF_THE_HOST in its environment, and passes the sandbox all of it. */
int main(void)
{
	static const char *const allowed[] = {
		"CANARY=", "HOST_", "VICTIM_", "TCP_",  "ABSTRACT=", "SHM_",   "ROUND=",
		"PATH=",   "HOME=", "LC_ALL=", "LANG=", "PWD=",      "TMPDIR="};

	for (char **e = environ; *e; e++) {
		size_t i = 0;

		while (i < sizeof(allowed) / sizeof(*allowed) &&
		       strncmp(*e, allowed[i], strlen(allowed[i])))
			i++;
		if (i == sizeof(allowed) / sizeof(*allowed))
			escaped("inherited %.60s", *e);
	}
	held();
}
