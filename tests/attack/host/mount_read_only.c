/* attack: expect=exited:0 mount=secret layer=readonly why=what is mounted into a cell is read-only, nosuid and nodev unless asked otherwise */
#include "attack.h"
#include <sys/statvfs.h>

/* run.py has a folder of the host mounted at /data, whose files everybody may write. */
int main(void)
{
	struct statvfs st;
	char text[64];
	int fd = open("/data/canary", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
		broken("/data/canary");
	if (open("/data/canary", O_WRONLY | O_APPEND | O_CLOEXEC) >= 0 ||
	    open("/proc/self/cwd/../data/canary", O_RDWR | O_CLOEXEC) >= 0)
		escaped("opened the canary for writing");
	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	if (open(text, O_RDWR | O_CLOEXEC) >= 0)
		escaped("opened the canary again, for writing");
	if (truncate("/data/canary", 0) == 0 || chmod("/data/canary", 0600) == 0 ||
	    unlink("/data/canary") == 0 || rename("/data/canary", "/data/gone") == 0 ||
	    link("/data/canary", "/data/twice") == 0)
		escaped("changed the canary");
	if (open("/data/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0)
		escaped("made a file");
	if (access("/data/../secret/canary", F_OK) == 0 || access("/data/../input", F_OK) == 0)
		escaped("sees what is above the folder");
	if (statvfs("/data", &st) < 0 || !(st.f_flag & ST_RDONLY) || !(st.f_flag & ST_NOSUID) ||
	    !(st.f_flag & ST_NODEV))
		escaped("mount flags %#lx", st.f_flag);
	held();
}
