//! execve: which files are programs. The broken ones are refused or die; nobody else notices.
#![no_std]
#![no_main]

use core::ffi::CStr;
use core::mem::MaybeUninit;
use rt::process::{self, Ended};
use rt::rustix::fs::{Mode, OFlags, RawDir, open};
use rt::{Arg, Args};
use tests::{Errno, Outcome, check, child, equal, good};

tests::program!(run);

/// What a child that wasn't replaced exits with, plus the error's number.
const NOT_REPLACED: i32 = 100;

/// The error of execve, or how the program ended.
fn exec(path: &CStr) -> Result<Result<Ended, Errno>, Errno> {
    let ended = child::run(|| {
        let errno = process::execve(path, &[Arg::new(path), Arg::END], &[Arg::END]);
        NOT_REPLACED + i32::from(errno.raw())
    })?;
    Ok(match ended {
        Ended::Exited(status) if status > NOT_REPLACED => {
            Err(Errno::from_raw((status - NOT_REPLACED) as u16))
        }
        ended => Ok(ended),
    })
}

fn run(_: Args) -> Outcome {
    equal!(exec(c"/tests/data/exec-fixed"), Ok(Ok(Ended::Exited(42))));
    equal!(exec(c"/bench/exit"), Ok(Ok(Ended::Exited(0))));

    equal!(exec(c"/nowhere"), Ok(Err(Errno::ENOENT)));
    equal!(exec(c""), Ok(Err(Errno::ENOENT)));
    equal!(exec(c"/etc/motd/program"), Ok(Err(Errno::ENOTDIR)));
    equal!(exec(c"/tests/data/loop-a"), Ok(Err(Errno::ELOOP)));
    equal!(exec(c"/bin"), Ok(Err(Errno::EACCES)));
    equal!(exec(c"/tests/data/not-executable"), Ok(Err(Errno::EACCES)));
    equal!(exec(c"/etc/motd"), Ok(Err(Errno::EACCES)));
    equal!(exec(c"/dev/null"), Ok(Err(Errno::EACCES)));

    each(c"/tests/data/refused", |name, result| {
        check!(result == Err(Errno::ENOEXEC), "{}: {result:?}", rt::io::Text(name));
        Ok(())
    })?;
    each(c"/tests/data/deadly", |name, result| {
        let dead = matches!(result, Ok(Ended::Killed(_)));
        let refused = matches!(result, Err(Errno::ENOEXEC | Errno::EINVAL | Errno::ENOMEM | Errno::EIO));
        check!(dead || refused, "{}: {result:?}", rt::io::Text(name));
        Ok(())
    })?;
    each(c"/tests/data/mutants", |_, _| Ok(()))?;

    // All is well afterwards.
    equal!(exec(c"/tests/data/exec-fixed"), Ok(Ok(Ended::Exited(42))));
    Ok(())
}

/// Executes each file of a directory.
fn each(path: &CStr, mut look: impl FnMut(&[u8], Result<Ended, Errno>) -> Outcome) -> Outcome {
    let directory = good!(open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()));
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&directory, &mut buffer);
    let mut count = 0;
    while let Some(entry) = entries.next() {
        let entry = good!(entry);
        let name = entry.file_name().to_bytes();
        if name.starts_with(b".") {
            continue;
        }
        let mut full = [0u8; 256];
        let parts = path.to_bytes().iter().chain(b"/").chain(name);
        full.iter_mut().zip(parts).for_each(|(slot, &byte)| *slot = byte);
        let full = good!(CStr::from_bytes_until_nul(&full));
        look(name, good!(exec(full)))?;
        count += 1;
    }
    check!(count > 10, "{count} files in {}", rt::io::Text(path.to_bytes()));
    Ok(())
}
