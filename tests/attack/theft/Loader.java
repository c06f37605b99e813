/* attack: expect=exited:0 policy=managed memory=512M processes=64 time=10s layer=root,environment,pidns why=what a runtime can load, attach to and ask is in the root, or it is not */
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;

public class Loader {
    static void escaped(String what) {
        System.out.println("ESCAPED: " + what);
        System.out.flush();
        Runtime.getRuntime().halt(66);
    }

    public static void main(String[] args) throws Exception {
        for (String path : new String[] {System.getenv("CANARY"), "/etc/shadow", "/proc/1/mem", "/dev/mem"})
            try {
                System.load(path);
                escaped("loaded " + path);
            } catch (UnsatisfiedLinkError e) {
                if (!e.getMessage().contains("No such file") && !e.getMessage().contains("Can't load library") && !e.getMessage().contains("cannot open"))
                    escaped(path + ": " + e.getMessage());
            }
        // Other virtual machines leave their sockets and data in /tmp.
        File[] left = new File("/tmp").listFiles();
        for (File file : left == null ? new File[0] : left)
            if (!file.getName().equals("hsperfdata_sandbox"))
                escaped("/tmp has " + file);
        if (System.getenv().containsKey("SECRET_OF_THE_HOST") || System.getProperty("user.home", "").startsWith("/root"))
            escaped("knows whose host this is");
        if (ProcessHandle.of(Long.parseLong(System.getenv("VICTIM_PID"))).isPresent())
            escaped("sees the host's processes");
        for (String name : new String[] {"/etc/hostname", "/etc/machine-id", "/etc/resolv.conf", "/etc/ssl/private"})
            if (Files.exists(Path.of(name)))
                escaped("sees " + name);
        System.out.println("held");
    }
}
