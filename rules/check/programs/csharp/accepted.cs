using System;
using System.Collections.Generic;
using System.Linq;

class Sums {
	static void Main() {
		int n = int.Parse(Console.ReadLine());
		var lines = new List<string>();

		for (int i = 0; i < n; i++)
			lines.Add(Console.ReadLine());
		foreach (long sum in lines.Select(line => line.Split(' ').Select(long.Parse).Sum()))
			Console.WriteLine(sum);
	}
}
