/* attack: expect=exited:0 layer=mountns,pidns,netns,ipcns,utsns,userns,cgroupns why=all seven namespaces are the cell's own */
#include "attack.h"

/* HOST_NAMESPACES is what readlink gave to run.py: "pid:[4026531836] net:[...] ...". */
int main(void)
{
	static const char *const names[] = {"mnt", "pid", "net", "ipc", "uts", "user", "cgroup"};
	const char *host = given("HOST_NAMESPACES");
	char line[512];
	FILE *f;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], link[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			broken(path);
		link[n] = 0;
		if (strstr(host, link))
			escaped("shares %s with the host", link);
	}
	f = fopen("/proc/self/cgroup", "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strstr(line, ":/\n"))
			escaped("is not at the root of its cgroup namespace: %s", line);
	if (!f)
		broken("/proc/self/cgroup");
	held();
}
