using System.Collections.Generic;

class Big {
	static void Main() {
		var all = new List<int[]>();

		while (true) {
			var more = new int[1 << 18];

			for (int i = 0; i < more.Length; i++)
				more[i] = 1;
			all.Add(more);
		}
	}
}
