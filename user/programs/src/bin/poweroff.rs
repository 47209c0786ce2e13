//! `poweroff`: switches the machine off, at once.
#![no_std]
#![no_main]

rt::main!(main);

fn main(_: rt::Args) -> i32 {
    rt::rustix::fs::sync();
    rt::power::off();
    rt::eprintln!("poweroff: the kernel refuses");
    1
}
