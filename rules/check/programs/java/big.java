import java.util.ArrayList;

public class Main {
	public static void main(String[] args) {
		ArrayList<int[]> all = new ArrayList<>();

		while (true)
			all.add(new int[1 << 18]);
	}
}
