//! `cat [FILE...]`: writes files, or its input, to its output.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::io::{self, Reason, Text};
use rt::rustix::fd::AsFd;
use rt::rustix::fs::{self, Mode, OFlags};
use rt::rustix::io::{Errno, read};

rt::main!(main);

fn main(args: rt::Args) -> i32 {
    if args.len() < 2 {
        return report(c"-", copy(io::fd(0)));
    }
    args.from(1).map(|name| report(name, cat(name))).max().unwrap_or(0)
}

fn cat(name: &CStr) -> Result<(), Errno> {
    if name == c"-" {
        return copy(io::fd(0));
    }
    copy(fs::open(name, OFlags::RDONLY, Mode::empty())?)
}

fn copy(from: impl AsFd) -> Result<(), Errno> {
    let mut buffer = [0; 16384];
    loop {
        match read(&from, &mut buffer)? {
            0 => return Ok(()),
            n => io::write_all(io::STDOUT, &buffer[..n]),
        }
    }
}

fn report(name: &CStr, result: Result<(), Errno>) -> i32 {
    let Err(errno) = result else { return 0 };
    rt::eprintln!("cat: {}: {}", Text(name.to_bytes()), Reason(rt::sys::errno(errno)));
    1
}
