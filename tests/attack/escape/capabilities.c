/* attack: expect=exited:0 each=native,managed,compiler,network policy={} layer=caps,no_new_privs why=no capabilities in any set, no_new_privs, a filter, no groups */
#include "attack.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

/* uid 0 gives no capabilities, and nobody can change that. */
enum { LOCKED = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED };

static void expect_line(const char *text, const char *name, const char *value)
{
	const char *line = strstr(text, name);

	if (!line)
		broken(name);
	line += strlen(name);
	line += strspn(line, " \t");
	if (strncmp(line, value, strlen(value)))
		escaped("%s %.16s, not %s", name + 1, line, value);
}

int main(void)
{
	static char status[8192];
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct all[2];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	gid_t group = 0;

	if (fd < 0 || read(fd, status, sizeof(status) - 1) <= 0)
		broken("/proc/self/status");
	expect_line(status, "\nCapInh:", "0000000000000000");
	expect_line(status, "\nCapPrm:", "0000000000000000");
	expect_line(status, "\nCapEff:", "0000000000000000");
	expect_line(status, "\nCapBnd:", "0000000000000000");
	expect_line(status, "\nCapAmb:", "0000000000000000");
	expect_line(status, "\nNoNewPrivs:", "1");
	expect_line(status, "\nSeccomp:", "2");
	if (getgroups(0, NULL) != 0)
		escaped("%d supplementary groups", getgroups(0, NULL));
	if ((prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & LOCKED) != LOCKED)
		escaped("securebits %#x", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	memset(all, 0xff, sizeof(all));
	if (syscall(SYS_capset, &header, all) == 0)
		escaped("all capabilities");
	if (setgroups(1, &group) == 0)
		escaped("setgroups");
	held();
}
