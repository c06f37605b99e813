import java.util.Scanner;

class Bisect {
	public static void main(String[] args) {
		Scanner in = new Scanner(System.in);
		long low = 1, high = in.nextLong();

		while (true) {
			long guess = (low + high) / 2;

			System.out.println(guess);
			String said = in.next();
			if (said.equals("correct"))
				return;
			if (said.equals("higher"))
				low = guess + 1;
			else
				high = guess - 1;
		}
	}
}
