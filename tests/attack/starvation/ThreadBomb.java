/* attack: expect=exited:0 policy=managed memory=512M processes=64 time=10s layer=pids why=pids limit, for a runtime */
public class ThreadBomb {
    public static void main(String[] args) {
        int born = 0;
        try {
            for (; born < 5000; born++) {
                Thread thread = new Thread(() -> {
                    try {
                        Thread.sleep(15000);
                    } catch (InterruptedException e) {
                        return;
                    }
                });
                thread.setDaemon(true);
                thread.start();
            }
        } catch (OutOfMemoryError e) {
            System.out.println(born < 64 ? "held" : "ESCAPED: " + born + " threads");
            System.out.flush();
            Runtime.getRuntime().halt(born < 64 ? 0 : 66);
        }
        System.out.println("ESCAPED: " + born + " threads at once, of 64 allowed");
        Runtime.getRuntime().halt(66);
    }
}
