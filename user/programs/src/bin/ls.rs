//! `ls [-l] [FILE...]`: what is in a directory, in the directory's own order.
#![no_std]
#![no_main]

use core::ffi::CStr;
use core::mem::MaybeUninit;
use rt::io::{Reason, Text};
use rt::rustix::fd::OwnedFd;
use rt::rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat};
use rt::rustix::io::Errno;
use rt::{print, println};

rt::main!(main);

/// How much is said about a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Names,
    Long,
}

fn main(args: rt::Args) -> i32 {
    let style = if args.from(1).any(|arg| arg == c"-l") { Style::Long } else { Style::Names };
    let names = || args.from(1).filter(|arg| *arg != c"-l");
    if names().next().is_none() {
        return report(c".", list(c".", style));
    }
    names().map(|name| report(name, list(name, style))).max().unwrap_or(0)
}

fn list(name: &CStr, style: Style) -> Result<(), Errno> {
    let stat = fs::stat(name)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        let here = fs::open(c".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        return entry(&here, name, style);
    }
    let directory = fs::openat(CWD, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&directory, &mut buffer);
    while let Some(found) = entries.next() {
        let found = found?;
        if !found.file_name().to_bytes().starts_with(b".") {
            entry(&directory, found.file_name(), style)?;
        }
    }
    Ok(())
}

fn entry(directory: &OwnedFd, name: &CStr, style: Style) -> Result<(), Errno> {
    if style == Style::Names {
        println!("{}", Text(name.to_bytes()));
        return Ok(());
    }
    let stat = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    print!("{} {:>10} {}", Permissions(&stat), stat.st_size, Text(name.to_bytes()));
    let mut buffer = [0; 1024];
    if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
        && let Ok(len) = fs::readlinkat_raw(directory, name, &mut buffer[..])
    {
        print!(" -> {}", Text(&buffer[..len]));
    }
    println!();
    Ok(())
}

/// A mode as `drwxr-xr-x`.
struct Permissions<'a>(&'a Stat);

impl core::fmt::Display for Permissions<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mode = self.0.st_mode;
        let kind = match FileType::from_raw_mode(mode) {
            FileType::Directory => 'd',
            FileType::Symlink => 'l',
            FileType::CharacterDevice => 'c',
            FileType::BlockDevice => 'b',
            FileType::Fifo => 'p',
            FileType::Socket => 's',
            _ => '-',
        };
        write!(f, "{kind}")?;
        for (index, letter) in "rwxrwxrwx".chars().enumerate() {
            let letter = if mode & (0o400 >> index) != 0 { letter } else { '-' };
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

fn report(name: &CStr, result: Result<(), Errno>) -> i32 {
    let Err(errno) = result else { return 0 };
    rt::eprintln!("ls: {}: {}", Text(name.to_bytes()), Reason(rt::sys::errno(errno)));
    1
}
