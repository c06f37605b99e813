import java.util.Scanner;

/* The class is not called like the file. */
public class Sums {
	public static void main(String[] args) {
		Scanner in = new Scanner(System.in);
		int n = in.nextInt();

		for (int i = 0; i < n; i++)
			System.out.println(in.nextLong() + in.nextLong());
	}
}
