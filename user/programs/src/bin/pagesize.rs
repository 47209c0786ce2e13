//! `pagesize SIZE [COMMAND...]`: runs a command, or a shell, with pages of 4K, 16K or 64K. What it starts inherits the
//! size. Made like `setarch` of util-linux, and to be put inside it: `setarch` sets all of the personality.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::io::{Reason, Text};
use rt::process::{execve, personality};
use rt::sys::Errno;
use rt::{Arg, Args};

rt::main!(main);

/// `PER_PAGE_SIZE_16K` and `PER_PAGE_SIZE_64K`; neither is 4K.
const SIZE_16K: u32 = 0x1000_0000;
const SIZE_64K: u32 = 0x2000_0000;
/// Asks for the personality without a change.
const QUERY: u32 = u32::MAX;

/// What setarch ends with.
const USAGE: i32 = 1;
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Where programs are looked for if `PATH` is not set.
const DEFAULT_PATH: &[u8] = b"/bin:/sbin:/usr/bin:/usr/sbin";
const SHELL: &CStr = c"/bin/sh";
/// Longest path that execve takes, with its end.
const PATH_MAX: usize = 4096;

fn main(args: Args) -> i32 {
    let Some(first) = args.get(1).map(CStr::to_bytes) else {
        return bad_usage(format_args!("no page size specified"));
    };
    match first {
        b"-h" | b"--help" => return help(),
        [b'-', b'-', _, ..] => return bad_usage(format_args!("unrecognized option '{}'", Text(first))),
        [b'-', letter, ..] if *letter != b'-' => {
            return bad_usage(format_args!("invalid option -- '{}'", char::from(*letter)));
        }
        _ => {}
    }
    let Some(bits) = bits_of(first) else {
        return bad_usage(format_args!("{}: unrecognized page size", Text(first)));
    };
    if let Err(errno) = set_page_size(bits) {
        rt::eprintln!("pagesize: failed to set the page size to {}: {}", Text(first), Reason(errno));
        return USAGE;
    }
    let shell = [Arg::new(c"-sh"), Arg::END];
    let (name, argv) = match args.get(2) {
        Some(name) => (name, args.tail(2)),
        None => (SHELL, &shell[..]),
    };
    let errno = execute(name, argv, args);
    rt::eprintln!("pagesize: failed to execute {}: {}", Text(name.to_bytes()), Reason(errno));
    if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE }
}

fn help() -> i32 {
    rt::println!(
        "usage: pagesize SIZE [COMMAND...]\n\
         Run COMMAND, or a shell, with pages of SIZE: 4K, 16K or 64K."
    );
    0
}

fn bad_usage(why: core::fmt::Arguments<'_>) -> i32 {
    rt::eprintln!("pagesize: {why}\nTry 'pagesize --help' for more information.");
    USAGE
}

/// The personality's bits for a size as a person writes it.
fn bits_of(size: &[u8]) -> Option<u32> {
    match size {
        b"4K" | b"4k" | b"4096" => Some(0),
        b"16K" | b"16k" | b"16384" => Some(SIZE_16K),
        b"64K" | b"64k" | b"65536" => Some(SIZE_64K),
        _ => None,
    }
}

/// Sets the size for the programs to come, and leaves all else of the personality.
fn set_page_size(bits: u32) -> Result<(), Errno> {
    let others = personality(QUERY)? & !(SIZE_16K | SIZE_64K);
    personality(others | bits).map(drop)
}

/// Becomes the program `name`, which is looked for as `execvp` does. Returns with the error.
fn execute(name: &CStr, argv: &[Arg<'_>], args: Args) -> Errno {
    if name.to_bytes().contains(&b'/') {
        return execve(name, argv, args.envp());
    }
    if name.is_empty() {
        return Errno::ENOENT;
    }
    let path = args.environment().find_map(|variable| variable.to_bytes().strip_prefix(b"PATH="));
    let mut errno = Errno::ENOENT;
    for directory in path.unwrap_or(DEFAULT_PATH).split(|byte| *byte == b':') {
        let directory = if directory.is_empty() { b"." } else { directory };
        let mut buffer = [0; PATH_MAX];
        let Some(path) = join(&mut buffer, &[directory, b"/", name.to_bytes()]) else { continue };
        match execve(path, argv, args.envp()) {
            Errno::ENOENT | Errno::ENOTDIR => {}
            // Another directory may have one that can be run.
            Errno::EACCES => errno = Errno::EACCES,
            other => return other,
        }
    }
    errno
}

/// The parts in one string; `None` if they are too long.
fn join<'a>(buffer: &'a mut [u8; PATH_MAX], parts: &[&[u8]]) -> Option<&'a CStr> {
    let mut end = 0;
    for part in parts {
        buffer[..PATH_MAX - 1].get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    CStr::from_bytes_until_nul(buffer).ok()
}
