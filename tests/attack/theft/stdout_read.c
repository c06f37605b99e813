/* attack: expect=exited:0 layer=stdio why=output goes to a pipe, not to a file of the host */
#include "attack.h"

/* Output that the host keeps: can it be read back, emptied, or reached as a file? */
int main(void)
{
	struct stat st;

	for (int fd = 1; fd <= 2; fd++) {
		if (fstat(fd, &st) < 0)
			broken("fstat");
		if (S_ISREG(st.st_mode))
			escaped("descriptor %d is a file", fd);
		if (ftruncate(fd, 0) == 0 || lseek(fd, 0, SEEK_SET) == 0)
			escaped("descriptor %d can be rewound", fd);
		if (fchmod(fd, 0777) == 0 && S_ISREG(st.st_mode))
			escaped("descriptor %d changed mode", fd);
	}
	held();
}
