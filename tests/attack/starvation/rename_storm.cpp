/* attack: expect=exited:0|cpu_time_limit|memory_limit processes=16 time=2s layer=cpu_time why=one lock of the file system is of the cell's own, and the time in it is counted */
#include "attack.h"
#include <string>
#include <thread>
#include <vector>

/* Renames across folders take a lock of the whole file system. */
int main()
{
	std::vector<std::thread> threads;

	bounded(20);
	for (int i = 0; i < 4; i++)
		threads.emplace_back([i] {
			std::string a = "a" + std::to_string(i), b = "b" + std::to_string(i);

			mkdir(a.c_str(), 0700);
			mkdir(b.c_str(), 0700);
			mkdir((a + "/x").c_str(), 0700);
			for (int turn = 0; turn < 200000; turn++) {
				rename((a + "/x").c_str(), (b + "/x").c_str());
				rename((b + "/x").c_str(), (a + "/x").c_str());
			}
		});
	for (auto &thread : threads)
		thread.join();
	held();
}
