int main()
{
	array all = ({});

	for (;;)
		all += ({ allocate(100000, 1.5) });
}
