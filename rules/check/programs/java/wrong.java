import java.util.Scanner;

class Helper {
	static long combine(long a, long b) {
		return a - b;
	}
}

class Wrong {
	public static void main(String[] args) {
		Scanner in = new Scanner(System.in);

		for (int n = in.nextInt(); n > 0; n--)
			System.out.println(Helper.combine(in.nextLong(), in.nextLong()));
	}
}
