/* attack: expect=exited:0 each=native,managed policy={} layer=seccomp why=policy: arguments that reach what all cells share */
#include "attack.h"
#include <linux/filter.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Memory that no cgroup counts, the page cache of everybody, the time a merged page takes, code in the kernel. */
int main(void)
{
	char byte;
	struct iovec one = {&byte, 1};
	struct sock_filter code = {.code = BPF_RET | BPF_K, .k = 1};
	struct sock_fprog filter = {1, &code};
	int pair[2], library = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	void *memory;

	if (library < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		broken("open");
	memory = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory != MAP_FAILED)
		escaped("took a huge page of the machine's");
	if (memfd_create("huge", MFD_HUGETLB) >= 0)
		escaped("made a file of huge pages");
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		broken("mmap");
	if (madvise(memory, 4096, MADV_MERGEABLE) == 0)
		escaped("its pages are merged with others'");
	if (posix_fadvise(library, 0, 0, POSIX_FADV_DONTNEED) == 0)
		escaped("threw /bin/sh out of the page cache");
	if (preadv2(library, &one, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN)
		escaped("is told what is in the page cache");
	if (setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0)
		escaped("has code compiled in the kernel");
	held();
}
