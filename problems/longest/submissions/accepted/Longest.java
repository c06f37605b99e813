import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

public class Longest {
    static final InputStream in = new BufferedInputStream(System.in, 1 << 16);

    static int next() throws IOException {
        int c = in.read();
        while (c <= ' ')
            c = in.read();
        int value = 0;
        for (; c > ' '; c = in.read())
            value = 10 * value + c - '0';
        return value;
    }

    public static void main(String[] args) throws IOException {
        int n = next();
        int[] tail = new int[n];
        int length = 0;
        for (int i = 0; i < n; i++) {
            int height = next();
            int at = Arrays.binarySearch(tail, 0, length, height);
            if (at >= 0)
                continue;
            at = -at - 1;
            tail[at] = height;
            if (at == length)
                length++;
        }
        System.out.println(length);
    }
}
