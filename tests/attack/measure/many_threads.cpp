// attack: expect=cpu_time_limit processes=16 layer=cpu_count why=CPU time of all threads together
#include <chrono>
#include <thread>
#include <vector>

/* Eight threads share the work, so that none uses much; together they do. */
int main()
{
	std::vector<std::thread> threads;
	auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);

	for (int i = 0; i < 8; i++)
		threads.emplace_back([end] {
			while (std::chrono::steady_clock::now() < end)
				;
		});
	for (auto &thread : threads)
		thread.join();
}
