/* attack: expect=output_limit|cpu_time_limit output=16K time=3s layer=output why=output limit, one byte at a time, by whatever call */
#include "attack.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

int main(void)
{
	int fd = open("byte", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct iovec one = {"x", 1};

	if (fd < 0 || write(fd, "x", 1) != 1)
		broken("byte");
	bounded(20);
	for (;;) {
		off_t start = 0;

		if (write(1, "x", 1) < 0 && writev(2, &one, 1) < 0)
			broken("write");
		(void)!writev(2, &one, 1);
		(void)!sendfile(1, fd, &start, 1);
	}
}
