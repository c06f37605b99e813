use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let mut tail: Vec<u32> = Vec::new();
    for word in text.split_ascii_whitespace().skip(1) {
        let height: u32 = word.parse().unwrap();
        let at = tail.partition_point(|&t| t < height);
        if at == tail.len() {
            tail.push(height);
        } else {
            tail[at] = height;
        }
    }
    println!("{}", tail.len());
}
