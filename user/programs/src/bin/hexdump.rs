//! `hexdump [-C] [-s SKIP] [-n LENGTH] [FILE]`: the bytes of a file, or of the input, in hexadecimal. Words
//! of two bytes, or with `-C` single bytes and the characters that they stand for.
#![no_std]
#![no_main]

use rt::io::{Reason, Text};
use rt::rustix::fd::AsFd;
use rt::rustix::fs::{Mode, OFlags, open};
use rt::rustix::io::{Errno, read};

rt::main!(main);

const LINE: usize = 16;

/// What is shown, and how.
struct Options {
    characters: bool,
    skip: u64,
    length: u64,
}

fn main(args: rt::Args) -> i32 {
    let mut options = Options { characters: false, skip: 0, length: u64::MAX };
    let mut name = None;
    let mut words = args.from(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.to_str().ok()?.parse().ok());
        match word.to_bytes() {
            b"-C" => options.characters = true,
            b"-s" => match number() {
                Some(skip) => options.skip = skip,
                None => return usage(),
            },
            b"-n" => match number() {
                Some(length) => options.length = length,
                None => return usage(),
            },
            text if text.starts_with(b"-") && text.len() > 1 || name.is_some() => return usage(),
            _ => name = Some(word),
        }
    }
    let result = match name {
        None => dump(rt::io::fd(0), &options),
        Some(name) => open(name, OFlags::RDONLY, Mode::empty()).and_then(|file| dump(file, &options)),
    };
    let Err(errno) = result else { return 0 };
    let name = name.map_or(&b"input"[..], |name| name.to_bytes());
    rt::eprintln!("hexdump: {}: {}", Text(name), Reason(rt::sys::errno(errno)));
    1
}

fn usage() -> i32 {
    rt::eprintln!("usage: hexdump [-C] [-s SKIP] [-n LENGTH] [FILE]");
    2
}

fn dump(file: impl AsFd, options: &Options) -> Result<(), Errno> {
    let mut offset = 0;
    let mut scratch = [0; 512];
    // Read, as a pipe can't seek.
    while offset < options.skip {
        let wanted = scratch.len().min((options.skip - offset) as usize);
        match read(&file, &mut scratch[..wanted])? {
            0 => break,
            len => offset += len as u64,
        }
    }
    let end = offset.saturating_add(options.length);
    // The line before, and whether a `*` stands for lines like it.
    let (mut before, mut repeated) = (None, false);
    loop {
        let mut line = [0; LINE];
        let len = fill(&file, &mut line[..LINE.min((end - offset) as usize)])?;
        if len == LINE && before == Some(line) {
            if !repeated {
                rt::println!("*");
            }
            repeated = true;
        } else {
            repeated = false;
            show(offset, &line[..len], options);
        }
        before = Some(line);
        offset += len as u64;
        if len < LINE {
            // The address after the last byte, unless the last line was it.
            if len > 0 {
                show(offset, &[], options);
            }
            return Ok(());
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    let mut len = 0;
    while len < buffer.len() {
        match read(&file, &mut buffer[len..])? {
            0 => break,
            more => len += more,
        }
    }
    Ok(len)
}

fn show(offset: u64, line: &[u8], options: &Options) {
    let mut out = rt::io::Output::new(rt::io::STDOUT);
    // Output to a descriptor never fails as formatting.
    let _ =
        if options.characters { canonical(&mut out, offset, line) } else { words(&mut out, offset, line) };
}

fn words(out: &mut impl core::fmt::Write, offset: u64, line: &[u8]) -> core::fmt::Result {
    write!(out, "{offset:07x}")?;
    for pair in line.chunks(2) {
        let word = u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        write!(out, " {word:04x}")?;
    }
    out.write_str("\n")
}

fn canonical(out: &mut impl core::fmt::Write, offset: u64, line: &[u8]) -> core::fmt::Result {
    write!(out, "{offset:08x}")?;
    if !line.is_empty() {
        for index in 0..LINE {
            if index % 8 == 0 {
                out.write_str(" ")?;
            }
            match line.get(index) {
                Some(byte) => write!(out, " {byte:02x}")?,
                None => out.write_str("   ")?,
            }
        }
        out.write_str("  |")?;
        for byte in line {
            let shown = if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
            out.write_char(shown)?;
        }
        out.write_str("|")?;
    }
    out.write_str("\n")
}
