import std.stdio, std.algorithm, std.array, std.conv, std.string;

void main()
{
	immutable n = readln.strip.to!int;

	foreach (_; 0 .. n)
		writeln(readln.split.map!(to!long).sum);
}
