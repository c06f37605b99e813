import java.util.Scanner;

public class Quadratic {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        int[] height = new int[n];
        int[] best = new int[n];
        int longest = 0;
        for (int i = 0; i < n; i++) {
            height[i] = in.nextInt();
            for (int j = 0; j < i; j++)
                if (height[j] < height[i] && best[j] > best[i])
                    best[i] = best[j];
            longest = Math.max(longest, ++best[i]);
        }
        System.out.println(longest);
    }
}
