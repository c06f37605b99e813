/* attack: expect=memory_limit policy=managed memory=256M processes=64 time=10s layer=memory why=memory limit counts what is outside the heap */
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Memory that the heap's limit does not see. */
public class HeapBomb {
    public static void main(String[] args) {
        List<ByteBuffer> hoard = new ArrayList<>();
        for (int mb = 0; mb < 1024; mb++) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            for (int i = 0; i < 1 << 20; i += 4096)
                buffer.put(i, (byte) 1);
            hoard.add(buffer);
        }
        System.out.println("ESCAPED: 1 GB of 256 MB allowed");
        Runtime.getRuntime().halt(66);
    }
}
