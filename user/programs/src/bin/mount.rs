//! `mount`: what is mounted where, from `/proc/mounts`. `mount -t TYPE [-o OPTIONS] SOURCE DIRECTORY`: mounts.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::io::{Reason, Text};
use rt::rustix::fs::{Mode, OFlags, open};
use rt::rustix::io::{Errno, read};
use rt::rustix::mount::{MountFlags, mount};

rt::main!(main);

fn main(args: rt::Args) -> i32 {
    if args.len() == 1 {
        return show();
    }
    let (mut kind, mut options) = (None, c"");
    let mut places: [Option<&CStr>; 2] = [None; 2];
    let mut words = args.from(1);
    while let Some(word) = words.next() {
        match word.to_bytes() {
            b"-t" => kind = words.next(),
            b"-o" => options = words.next().unwrap_or(c""),
            _ => match places.iter_mut().find(|place| place.is_none()) {
                Some(place) => *place = Some(word),
                None => return usage(),
            },
        }
    }
    let (Some(kind), [Some(source), Some(directory)]) = (kind, places) else { return usage() };
    match mount(source, directory, kind, MountFlags::empty(), options) {
        Ok(()) => 0,
        Err(errno) => failed(directory.to_bytes(), errno),
    }
}

fn usage() -> i32 {
    rt::eprintln!("usage: mount [-t TYPE [-o OPTIONS] SOURCE DIRECTORY]");
    2
}

fn failed(what: &[u8], errno: Errno) -> i32 {
    rt::eprintln!("mount: {}: {}", Text(what), Reason(rt::sys::errno(errno)));
    1
}

/// Prints the table as `SOURCE on DIRECTORY type TYPE (OPTIONS)`.
fn show() -> i32 {
    let file = match open(c"/proc/mounts", OFlags::RDONLY, Mode::empty()) {
        Ok(file) => file,
        Err(errno) => return failed(b"/proc/mounts", errno),
    };
    let mut text = [0; 4096];
    let mut len = 0;
    loop {
        match read(&file, &mut text[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(errno) => return failed(b"/proc/mounts", errno),
        }
        // Whole lines are printed, what follows the last of them waits for its end.
        let whole = text[..len].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        text[..whole].split(|byte| *byte == b'\n').for_each(show_line);
        text.copy_within(whole..len, 0);
        len -= whole;
    }
    0
}

fn show_line(line: &[u8]) {
    let mut words = line.split(|byte| *byte == b' ');
    let mut word = || Text(words.next().unwrap_or_default());
    if !line.is_empty() {
        rt::println!("{} on {} type {} ({})", word(), word(), word(), word());
    }
}
