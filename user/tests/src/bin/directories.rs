//! The working directory: chdir, getcwd, relative paths, what a child has.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::Result;
use rt::sys::raw::{
    __NR_chdir, __NR_getcwd, __NR_newfstatat, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_RDONLY,
};
use tests::{Outcome, anonymous, call, close, equal, fails, good, in_child, open, raw};

tests::program!(run);

const S_IFMT: u32 = 0o170_000;
const S_IFLNK: u32 = 0o120_000;
const S_IFREG: u32 = 0o100_000;

fn chdir(path: &CStr) -> Result {
    call(__NR_chdir, [path.as_ptr() as usize])
}

fn working_directory() -> Option<&'static CStr> {
    let buffer = anonymous(4096).ok()?;
    let len = call(__NR_getcwd, [buffer, 4096]).ok()?;
    CStr::from_bytes_with_nul(raw::bytes(buffer, len)).ok()
}

fn run(_: rt::Args) -> Outcome {
    equal!(chdir(c"/"), Ok(0));
    equal!(working_directory(), Some(c"/"));
    equal!(chdir(c"tests/data"), Ok(0));
    equal!(working_directory(), Some(c"/tests/data"));
    good!(close(good!(open(c"small", O_RDONLY))));
    good!(close(good!(open(c"../../etc/motd", O_RDONLY))));
    in_child!(|| {
        equal!(working_directory(), Some(c"/tests/data"));
        equal!(chdir(c"long/../../.."), Ok(0));
        equal!(working_directory(), Some(c"/"));
        Ok(())
    });
    equal!(chdir(c"to-long"), Ok(0));
    equal!(working_directory(), Some(c"/tests/data/long"));
    equal!(chdir(c"../../../../.."), Ok(0));
    equal!(working_directory(), Some(c"/"));

    fails!(chdir(c"/etc/motd"), ENOTDIR);
    fails!(chdir(c"/nowhere"), ENOENT);
    fails!(chdir(c""), ENOENT);
    fails!(chdir(c"/tests/data/loop-a"), ELOOP);
    equal!(chdir(c"/dev"), Ok(0));
    good!(close(good!(open(c"null", O_RDONLY))));
    equal!(working_directory(), Some(c"/dev"));
    let buffer = good!(anonymous(4096));
    fails!(call(__NR_getcwd, [buffer, 4]), ERANGE);
    equal!(call(__NR_getcwd, [buffer, 5]), Ok(5));
    stat_at()
}

fn stat_at() -> Outcome {
    let stat = good!(anonymous(4096));
    let mode = || raw::peek64(stat + 16) as u32;
    let newfstatat = |fd: usize, path: &CStr, flags: u32| {
        call(__NR_newfstatat, [fd, path.as_ptr() as usize, stat, flags as usize])
    };
    let here = AT_FDCWD as usize;
    equal!(chdir(c"/tests/data"), Ok(0));
    equal!(newfstatat(here, c"to-small", 0), Ok(0));
    equal!(mode() & S_IFMT, S_IFREG);
    equal!(newfstatat(here, c"to-small", AT_SYMLINK_NOFOLLOW), Ok(0));
    equal!(mode() & S_IFMT, S_IFLNK);
    equal!(newfstatat(here, c"dangling", AT_SYMLINK_NOFOLLOW), Ok(0));
    fails!(newfstatat(here, c"dangling", 0), ENOENT);
    fails!(newfstatat(here, c"", 0), ENOENT);
    fails!(newfstatat(here, c"small/x", 0), ENOTDIR);
    fails!(newfstatat(here, c"small", 1 << 30), EINVAL);
    let fd = good!(open(c"small", O_RDONLY));
    equal!(newfstatat(fd, c"", AT_EMPTY_PATH), Ok(0));
    equal!(mode() & S_IFMT, S_IFREG);
    fails!(newfstatat(fd, c"small", 0), ENOTDIR);
    fails!(newfstatat(900, c"small", 0), EBADF);
    equal!(newfstatat(900, c"/etc/motd", 0), Ok(0));
    Ok(())
}
