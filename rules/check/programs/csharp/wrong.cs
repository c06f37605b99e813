using System;

class Wrong {
	static void Main() {
		for (int n = int.Parse(Console.ReadLine()); n > 0; n--) {
			string[] parts = Console.ReadLine().Split(' ');

			Console.WriteLine(long.Parse(parts[0]) - long.Parse(parts[1]));
		}
	}
}
