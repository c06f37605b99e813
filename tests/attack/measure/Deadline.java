/* attack: expect=cpu_time_limit policy=managed memory=512M processes=64 time=1s layer=cpu_time why=CPU limit, in a hook of the runtime's end and in threads that keep it alive */
public class Deadline {
    static void work() {
        long until = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < until)
            Thread.onSpinWait();
    }

    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(Deadline::work));
        new Thread(Deadline::work).start();
        System.out.println("held");
        System.exit(0);
    }
}
