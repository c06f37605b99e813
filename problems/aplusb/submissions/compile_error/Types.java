public class Types {
    public static void main(String[] args) {
        int sum = "seven";
        System.out.println(sum);
    }
}
