fn main() {
    let mut text = String::new();
    std::io::stdin().read_line(&mut text).unwrap();
    println!("{}", text.trim().parse::<i64>().unwrap());
}
