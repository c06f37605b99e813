// The longest climb without skipping a post.
use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let (mut best, mut run, mut last) = (0, 0, 0);
    for word in text.split_ascii_whitespace().skip(1) {
        let height: u32 = word.parse().unwrap();
        run = if height > last { run + 1 } else { 1 };
        best = std::cmp::max(best, run);
        last = height;
    }
    println!("{}", best);
}
