// attack: expect=exited:1|cpu_time_limit|wall_time_limit|memory_limit|signaled:11|signaled:6 memory=256M processes=64 time=4s layer=memory,cpu_time why=limits of the compile: a macro that doubles
#![recursion_limit = "4294967295"]
macro_rules! double {
    ($($t:tt)*) => { double!($($t)* $($t)*) };
}

fn main() {
    double!(x y z);
}
