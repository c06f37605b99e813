/* attack: expect=cpu_time_limit|wall_time_limit|memory_limit|exited:1 memory=512M time=5s layer=cpu_time why=limits of the compile */
/* Every instance needs two others: a depth of 800 is no limit to their number. */
template <int Depth, long Path> struct bomb {
	static constexpr long value = bomb<Depth - 1, Path * 2>::value + bomb<Depth - 1, Path * 2 + 1>::value;
};
template <long Path> struct bomb<0, Path> {
	static constexpr long value = Path;
};
int main()
{
	return bomb<40, 1>::value;
}
