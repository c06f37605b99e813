public class Spin {
    static volatile long turns;

    public static void main(String[] args) {
        for (;;)
            turns++;
    }
}
