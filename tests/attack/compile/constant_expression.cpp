/* attack: expect=cpu_time_limit|wall_time_limit|memory_limit|exited:1 memory=512M time=5s layer=cpu_time why=limits of the compile */
constexpr unsigned long spin()
{
	unsigned long x = 1;

	for (unsigned long i = 0; i < 30000000; i++)
		x = x * 6364136223846793005UL + i;
	return x;
}
template <int N> struct more {
	static constexpr unsigned long value = spin() + N + more<N - 1>::value;
};
template <> struct more<0> {
	static constexpr unsigned long value = 0;
};
static_assert(more<500>::value != 1, "");
int main()
{
}
