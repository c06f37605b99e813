import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

public class Deviation {
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        int n = Integer.parseInt(in.readLine().trim());
        double[] x = new double[n];
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += x[i] = Double.parseDouble(in.readLine());
        double mean = sum / n;
        double squares = 0;
        for (double v : x)
            squares += (v - mean) * (v - mean);
        System.out.println(mean + " " + Math.sqrt(squares / n));
    }
}
