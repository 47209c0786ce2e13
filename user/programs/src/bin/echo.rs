//! `echo [WORD...]`: its arguments, on a line.
#![no_std]
#![no_main]

rt::main!(main);

fn main(args: rt::Args) -> i32 {
    for (index, word) in args.from(1).enumerate() {
        let separator = if index == 0 { "" } else { " " };
        rt::print!("{separator}{}", rt::io::Text(word.to_bytes()));
    }
    rt::println!();
    0
}
