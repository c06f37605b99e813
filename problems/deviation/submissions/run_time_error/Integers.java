import java.util.Scanner;

/** Reads whole numbers only: an exception at the first point. */
public class Integers {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        double[] x = new double[n];
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += x[i] = in.nextInt();
        double squares = 0;
        for (double v : x)
            squares += (v - sum / n) * (v - sum / n);
        System.out.println(sum / n + " " + Math.sqrt(squares / n));
    }
}
