// attack: expect=exited:0 memory=128M processes=8 time=2s layer=environment,close why=neither variables nor descriptors are inherited, whoever asks for them
use std::fs;
use std::process::exit;

fn escaped(what: String) -> ! {
    println!("ESCAPED: {}", what);
    exit(66);
}

fn main() {
    for (name, value) in std::env::vars_os() {
        if name == "SECRET_OF_THE_HOST" || value.to_string_lossy().contains("SECRET-") {
            escaped(format!("inherited {:?}", name));
        }
    }
    // The folder that is read is open too.
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let path = entry.unwrap().path();
        if let Ok(link) = fs::read_link(&path) {
            let link = link.to_string_lossy().to_string();
            if !link.starts_with("pipe:") && !link.starts_with("/memfd:") && !link.starts_with("/proc/") {
                escaped(format!("has {}", link));
            }
        }
    }
    println!("held");
}
