/* attack: expect=exited:0 layer=nosuid,nodev,box_size,box_inodes why=mount flags: what can be written cannot gain privilege */
#include "attack.h"
#include <dirent.h>
#include <sys/statvfs.h>

/* Every mount is read-only, or nosuid and nodev; and the box holds nothing that was not put there. */
int main(void)
{
	static const char *const open_folders[] = {"/box", "/tmp", "/dev/shm"};
	static const char *const closed_folders[] = {"/", "/usr", "/etc", "/program"};
	struct statvfs st;

	for (size_t i = 0; i < sizeof(open_folders) / sizeof(*open_folders); i++) {
		struct dirent *entry;
		DIR *d = opendir(open_folders[i]);

		if (!d || statvfs(open_folders[i], &st) < 0)
			broken(open_folders[i]);
		if (!(st.f_flag & ST_NOSUID) || !(st.f_flag & ST_NODEV))
			escaped("%s is not nosuid and nodev", open_folders[i]);
		if (st.f_blocks * st.f_frsize > 1ULL << 30 || st.f_blocks == 0)
			escaped("%s has no size limit", open_folders[i]);
		if (st.f_files > 1 << 16 || st.f_files == 0)
			escaped("%s has no limit of files", open_folders[i]);
		while (i > 0 && (entry = readdir(d)))
			if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
				escaped("%s holds %s", open_folders[i], entry->d_name);
		closedir(d);
	}
	for (size_t i = 0; i < sizeof(closed_folders) / sizeof(*closed_folders); i++) {
		if (statvfs(closed_folders[i], &st) < 0)
			continue;
		if (!(st.f_flag & ST_RDONLY))
			escaped("%s can be written", closed_folders[i]);
		if (!(st.f_flag & ST_NOSUID))
			escaped("%s honours set-uid files", closed_folders[i]);
	}
	held();
}
