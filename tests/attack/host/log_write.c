/* attack: expect=exited:0 layer=root+userns+ids+landlock why=no log of the host is in the root; the kernel's needs a call that is refused */
#include "attack.h"
#include <sys/klog.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A line in the administrator's log says what the attacker likes. */
int main(void)
{
	static const char *const sockets[] = {"/dev/log",
					      "/run/systemd/journal/socket",
					      "/run/systemd/journal/dev-log",
					      "/run/systemd/notify",
					      "/run/dbus/system_bus_socket",
					      "/var/run/docker.sock"};
	static const char *const files[] = {"/dev/kmsg", "/proc/kmsg", "/var/log/wtmp",
					    "/var/log/syslog", "/dev/console"};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int pair[2];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (open(files[i], O_WRONLY | O_APPEND | O_CLOEXEC) >= 0)
			escaped("can write %s", files[i]);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		broken("socketpair");
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
		snprintf(to.sun_path, sizeof(to.sun_path), "%s", sockets[i]);
		/* sendto() an address takes no socket that was made for one. */
		if (sendto(pair[0], "<0>attack", 9, 0, (struct sockaddr *)&to, sizeof(to)) == 9 ||
		    errno == ECONNREFUSED || access(sockets[i], F_OK) == 0)
			escaped("reaches %s: %s", sockets[i], strerror(errno));
	}
	if (klogctl(8 /* console level */, NULL, 7) == 0 || klogctl(5 /* clear */, NULL, 0) == 0)
		escaped("changed the kernel's log");
	held();
}
