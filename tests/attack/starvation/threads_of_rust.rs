// attack: expect=exited:0 processes=16 memory=128M time=3s layer=pids why=pids limit counts threads, whichever runtime starts them
use std::io::Write;
use std::thread;
use std::time::Duration;

fn main() {
    let mut started = 0;
    while started < 2000 {
        if thread::Builder::new().stack_size(65536).spawn(|| thread::sleep(Duration::from_secs(5))).is_err() {
            break;
        }
        started += 1;
    }
    let word = if started > 15 { format!("ESCAPED: {} threads of 15 allowed\n", started) } else { "held\n".to_string() };
    std::io::stdout().write_all(word.as_bytes()).unwrap();
    std::process::exit(if started > 15 { 66 } else { 0 });
}
