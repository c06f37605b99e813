fn main() {
    let words = vec![3, 4];
    let moved = words;
    println!("{} {}", moved.len(), words.len());
}
