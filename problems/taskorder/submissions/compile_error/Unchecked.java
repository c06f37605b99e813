public class Unchecked {
    public static void main(String[] args) {
        Thread.sleep(1);
    }
}
