/** The same work and the same memory every time. */
public class Fixed {
	public static void main(String[] args) {
		long[] numbers = new long[500000];
		long x = 1;
		long sum = 0;

		for (int i = 0; i < numbers.length; i++) {
			x = x * 6364136223846793005L + 1442695040888963407L;
			numbers[i] = x >>> 33;
		}
		java.util.Arrays.sort(numbers);
		for (int i = 0; i < numbers.length; i += 1000)
			sum += numbers[i];
		System.out.println(sum);
	}
}
