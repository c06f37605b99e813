/* attack: expect=exited:0 rounds=2 memory=64M time=3s layer=fresh_files,kill why=neither files nor memory of the first round are handed to the second */
#include "attack.h"
#include <cstring>
#include <sys/mman.h>
#include <vector>

/* The first round writes a mark all over its memory and its file systems; the second looks for it in what it is given. */
static const char mark[] = "MARK-OF-THE-FIRST-ROUND";

static bool marked(const char *p, size_t size)
{
	return memmem(p, size, mark, sizeof(mark)) != NULL;
}

int main()
{
	const size_t size = 24 << 20;
	bool second = atoi(given("ROUND")) == 2;
	char *p = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ends[2], fd = open("/tmp/hole", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int memory = memfd_create("hole", MFD_CLOEXEC);
	std::vector<char> heap(1 << 20), text(1 << 20);

	if (p == MAP_FAILED || fd < 0 || memory < 0 || pipe(ends) < 0)
		broken("memory");
	if (second) {
		if (ftruncate(fd, 1 << 20) < 0 || ftruncate(memory, 1 << 20) < 0)
			broken("ftruncate");
		if (marked(p, size) || marked(heap.data(), heap.size()))
			escaped("memory holds the mark");
		if (pread(fd, text.data(), text.size(), 0) > 0 && marked(text.data(), text.size()))
			escaped("a hole of a file holds the mark");
		if (pread(memory, text.data(), text.size(), 0) > 0 && marked(text.data(), text.size()))
			escaped("a hole of a memory file holds the mark");
		held();
	}
	for (size_t at = 0; at + 64 <= size; at += 64)
		memcpy(p + at, mark, sizeof(mark));
	for (int i = 0; i < 200; i++)
		if (write(fd, p, 4096) < 0 || write(memory, p, 4096) < 0 || (i < 10 && write(ends[1], p, 4096) < 0))
			break;
	held();
}
