import java.io.IOException;
import java.io.StreamTokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.PriorityQueue;

/** The ready task with the largest number first. */
public class Largest {
    static StreamTokenizer in = new StreamTokenizer(new java.io.BufferedInputStream(System.in));

    static int next() throws IOException {
        in.nextToken();
        return (int) in.nval;
    }

    public static void main(String[] args) throws IOException {
        int n = next(), m = next();
        List<List<Integer>> after = new ArrayList<>();
        for (int task = 0; task <= n; task++)
            after.add(new ArrayList<>());
        int[] waits = new int[n + 1];
        for (int rule = 0; rule < m; rule++) {
            int a = next(), b = next();
            after.get(a).add(b);
            waits[b]++;
        }
        PriorityQueue<Integer> ready = new PriorityQueue<>(Collections.reverseOrder());
        for (int task = 1; task <= n; task++)
            if (waits[task] == 0)
                ready.add(task);
        StringBuilder order = new StringBuilder();
        int done = 0;
        for (; !ready.isEmpty(); done++) {
            int task = ready.poll();
            order.append(task).append(' ');
            for (int following : after.get(task))
                if (--waits[following] == 0)
                    ready.add(following);
        }
        System.out.println(done == n ? order : "impossible");
    }
}
