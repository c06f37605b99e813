use std::io::{self, BufRead};

fn main() {
    let stdin = io::stdin();
    let mut lines = stdin.lock().lines().map(|line| line.unwrap());
    let n: usize = lines.next().unwrap().trim().parse().unwrap();
    for line in lines.take(n) {
        let sum: i64 = line.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum();
        println!("{sum}");
    }
}
