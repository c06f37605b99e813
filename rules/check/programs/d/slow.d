__gshared int n;

void main()
{
	import core.atomic : atomicOp;

	for (;;)
		atomicOp!"+="(*cast(shared int*) &n, 1);
}
