// Keeps a table of all pairs of tasks: right, but it needs 400 MB. The memory limit.
use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let words: Vec<usize> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let n = words[0];
    let mut before = vec![vec![b'.'; n]; n];
    for rule in words[2..].chunks(2) {
        before[rule[0] - 1][rule[1] - 1] = b'<';
    }
    let mut left: Vec<usize> = (0..n).collect();
    let mut order = String::new();
    while !left.is_empty() {
        let ready = left.iter().position(|&b| left.iter().all(|&a| before[a][b] == b'.'));
        match ready {
            Some(at) => order += &format!("{} ", left.remove(at) + 1),
            None => break,
        }
    }
    println!("{}", if left.is_empty() { &order } else { "impossible" });
}
