// attack: expect=exited:1 memory=512M processes=64 time=10s layer=root why=the compiler sees no more than the program
static SHADOW: &[u8] = include_bytes!("/etc/shadow");
static ENVIRONMENT: Option<&str> = option_env!("SECRET_OF_THE_HOST");

fn main() {
    println!("{:?} {:?}", SHADOW, ENVIRONMENT);
}
