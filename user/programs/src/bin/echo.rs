//! `echo [-n] [WORD...]`: its arguments, on a line, which `-n` leaves open.
#![no_std]
#![no_main]

rt::main!(main);

fn main(args: rt::Args) -> i32 {
    let open = args.get(1) == Some(c"-n");
    for (index, word) in args.from(if open { 2 } else { 1 }).enumerate() {
        let separator = if index == 0 { "" } else { " " };
        rt::print!("{separator}{}", rt::io::Text(word.to_bytes()));
    }
    if !open {
        rt::println!();
    }
    0
}
