//! `uname [-amnrsvo]`: which system this is.
#![no_std]
#![no_main]

use rt::io::Text;

rt::main!(main);

/// In the order in which they are printed.
const LETTERS: &[u8] = b"snrvmo";

fn main(args: rt::Args) -> i32 {
    let mut wanted = [false; LETTERS.len()];
    for word in args.from(1) {
        for letter in word.to_bytes().strip_prefix(b"-").unwrap_or(b"?") {
            match LETTERS.iter().position(|known| known == letter) {
                Some(index) => wanted[index] = true,
                None if *letter == b'a' => wanted = [true; LETTERS.len()],
                None => {
                    rt::eprintln!("usage: uname [-amnrsvo]");
                    return 2;
                }
            }
        }
    }
    wanted[0] |= wanted == [false; LETTERS.len()];
    let name = rt::rustix::system::uname();
    let parts =
        [name.sysname(), name.nodename(), name.release(), name.version(), name.machine(), c"GNU/Linux"];
    let mut separator = "";
    for (part, _) in parts.iter().zip(wanted).filter(|(_, wanted)| *wanted) {
        rt::print!("{separator}{}", Text(part.to_bytes()));
        separator = " ";
    }
    rt::println!();
    0
}
