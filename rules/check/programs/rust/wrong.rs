use std::io::{self, BufRead};

fn main() {
    for line in io::stdin().lock().lines().skip(1) {
        let numbers: Vec<i64> = line.unwrap().split_whitespace().map(|x| x.parse().unwrap()).collect();
        println!("{}", numbers[0] - numbers[1]);
    }
}
