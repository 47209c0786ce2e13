//! `hello`: says who it is. The first program that a new kernel should run.
#![no_std]
#![no_main]

rt::main!(main);

fn main(args: rt::Args) -> i32 {
    let name = args.get(0).map_or(&b"hello"[..], |name| name.to_bytes());
    rt::println!(
        "Hello from {}, process {}, child of {}, with pages of {} bytes.",
        rt::io::Text(name),
        rt::process::getpid(),
        rt::process::getppid(),
        rt::page_size()
    );
    0
}
