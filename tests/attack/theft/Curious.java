/* attack: expect=exited:0 policy=managed memory=512M processes=64 time=10s layer=root,environment,netns,pidns why=the root, the environment and the network namespace, for a runtime */
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;

public class Curious {
    static void escaped(String what) {
        System.out.println("ESCAPED: " + what);
        System.out.flush();
        Runtime.getRuntime().halt(66);
    }

    public static void main(String[] args) throws Exception {
        for (String path : new String[] {"/etc/shadow", "/root", "/home", "/var/log", "/var/tmp", "/sys/kernel", System.getenv("CANARY")})
            if (new File(path).exists())
                escaped("sees " + path);
        if (System.getenv("SECRET_OF_THE_HOST") != null)
            escaped("inherited the environment");
        try {
            Files.writeString(Path.of("/usr/gavel-attack"), "x");
            escaped("wrote to /usr");
        } catch (IOException e) {
            System.out.println(e);
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("TCP_PORT"))), 1000);
            escaped("reached the host's loopback");
        } catch (IOException e) {
            System.out.println(e);
        }
        for (ProcessHandle process : ProcessHandle.allProcesses().toList())
            if (process.pid() != ProcessHandle.current().pid() && process.pid() != 1)
                escaped("sees process " + process.pid());
        System.out.println("held");
    }
}
