// attack: expect=memory_limit|exited:1|signaled:6 memory=64M layer=memory why=memory limit; std::bad_alloc is the program's own end
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

int main()
{
	std::vector<std::unique_ptr<char[]>> hoard;

	for (int mb = 0; mb < 1024; mb++) {
		hoard.push_back(std::make_unique<char[]>(1 << 20));
		std::memset(hoard.back().get(), mb | 1, 1 << 20);
	}
	std::puts("ESCAPED: 1 GB of 64 MB allowed");
	return 66;
}
