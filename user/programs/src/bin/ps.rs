//! `ps`: the processes, from `/proc`.
#![no_std]
#![no_main]

use core::fmt::Write;
use core::mem::MaybeUninit;
use rt::io::{Output, Reason, Text};
use rt::rustix::fd::{AsFd, OwnedFd};
use rt::rustix::fs::{self, Mode, OFlags, RawDir};
use rt::rustix::io::{Errno, read};

rt::main!(main);

fn main(_: rt::Args) -> i32 {
    match list() {
        Ok(0) => {
            rt::eprintln!("ps: /proc is not mounted, so there is nothing to read processes from");
            1
        }
        Ok(_) => 0,
        Err(errno) => {
            rt::eprintln!("ps: /proc: {}", Reason(rt::sys::errno(errno)));
            1
        }
    }
}

/// Prints all processes and returns how many there were.
fn list() -> Result<usize, Errno> {
    let proc = fs::open(c"/proc", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&proc, &mut buffer);
    let mut count = 0;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        if count == 0 {
            rt::println!("{:>5} {:>5} S {:>8} COMMAND", "PID", "PPID", "VSZ");
        }
        count += 1;
        // A process that has ended meanwhile is not shown.
        if let Ok(process) = fs::openat(&proc, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()) {
            let _ = show(&process);
        }
    }
    Ok(count)
}

fn show(process: &OwnedFd) -> Result<(), Errno> {
    let mut buffer = [0; 1024];
    let stat = contents(process, c"stat", &mut buffer)?;
    // The name in parentheses may itself hold blanks and parentheses: what counts is the last one.
    let (Some(open), Some(close)) =
        (stat.iter().position(|byte| *byte == b'('), stat.iter().rposition(|byte| *byte == b')'))
    else {
        return Ok(());
    };
    let pid = core::str::from_utf8(stat[..open].trim_ascii()).unwrap_or("?");
    let name = &stat[open + 1..close];
    let mut fields = stat[close + 1..].trim_ascii().split(|byte| *byte == b' ');
    let mut field =
        |skip: usize| fields.nth(skip).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or("?");
    let (state, parent) = (field(0), field(0));
    let size: u64 = field(18).parse().unwrap_or(0);
    let mut out = Output::new(rt::io::STDOUT);
    let _ = write!(out, "{pid:>5} {parent:>5} {state} {:>8} ", size / 1024);
    let mut buffer = [0; 1024];
    let command = contents(process, c"cmdline", &mut buffer)?;
    let _ = match command.split(|byte| *byte == 0).next() {
        // A process without arguments is one of the kernel's, or has ended.
        None | Some(b"") => write!(out, "[{}]", Text(name)),
        Some(_) => command
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty())
            .try_for_each(|word| write!(out, "{} ", Text(word))),
    };
    let _ = out.write_str("\n");
    Ok(())
}

/// The first bytes of a file of a process.
fn contents<'b>(process: &OwnedFd, name: &core::ffi::CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
    let file = fs::openat(process.as_fd(), name, OFlags::RDONLY, Mode::empty())?;
    let len = read(&file, &mut *buffer)?;
    Ok(&buffer[..len])
}
