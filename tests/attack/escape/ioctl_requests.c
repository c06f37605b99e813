/* attack: expect=exited:0 layer=seccomp why=policy: requests to devices, file systems and interfaces, by list */
#include "attack.h"
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Each is tried on a folder, a file, a pipe and a socket; ENOTTY is what the filter says, and so does a file that knows it not. */
int main(void)
{
	static const struct {
		const char *name;
		unsigned long request;
	} table[] = {{"FITHAW", FITHAW},
		     {"FITRIM", FITRIM},
		     {"FS_IOC_SETFLAGS", FS_IOC_SETFLAGS},
		     {"FS_IOC_FSSETXATTR", FS_IOC_FSSETXATTR},
		     {"FIBMAP", FIBMAP},
		     {"FS_IOC_FIEMAP", FS_IOC_FIEMAP},
		     {"FICLONERANGE", FICLONERANGE},
		     {"FIDEDUPERANGE", FIDEDUPERANGE},
		     {"SIOCSIFADDR", SIOCSIFADDR},
		     {"SIOCGIFHWADDR", SIOCGIFHWADDR},
		     {"SIOCADDRT", SIOCADDRT},
		     {"SIOCSARP", SIOCSARP},
		     {"SIOCBRADDBR", SIOCBRADDBR},
		     {"SIOCGSTAMP", 0x8906},
		     {"SIOCUNIXFILE", SIOCPROTOPRIVATE},
		     {"LOOP_CTL_GET_FREE", 0x4c82},
		     {"KVM_CREATE_VM", 0xae01},
		     {"NS_GET_PARENT", 0xb702},
		     {"NS_GET_USERNS", 0xb701},
		     {"FIOSETOWN", FIOSETOWN},
		     {"SECCOMP_IOCTL_NOTIF_SEND", 0xc0182101}};
	static char argument[4096];
	int pair[2], ends[2], fds[5];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(ends) < 0)
		broken("descriptors");
	fds[0] = open(".", O_RDONLY | O_DIRECTORY);
	fds[1] = open("file", O_RDWR | O_CREAT, 0600);
	fds[2] = pair[0];
	fds[3] = ends[0];
	fds[4] = open("/proc/self/ns/net", O_RDONLY);
	for (size_t f = 0; f < 5; f++)
		for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
			if (ioctl(fds[f], table[i].request, argument) >= 0 ||
			    (errno != ENOTTY && errno != EPERM))
				escaped("%s of descriptor %zu: %s", table[i].name, f,
					strerror(errno));
	held();
}
