//! openat: every refusal that a read-only disk can give, and the numbers of descriptors.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::Result;
use rt::sys::raw::*;
use tests::{Outcome, call, close, equal, fails, good, open};

tests::program!(run);

fn openat(directory: usize, path: &CStr, flags: u32) -> Result {
    call(__NR_openat, [directory, path.as_ptr() as usize, flags as usize, 0o644])
}

fn run(_: rt::Args) -> Outcome {
    names()?;
    flags()?;
    directories()?;
    numbers()
}

fn names() -> Outcome {
    fails!(open(c"", O_RDONLY), ENOENT);
    fails!(open(c"/nowhere", O_RDONLY), ENOENT);
    fails!(open(c"/nowhere/file", O_RDONLY), ENOENT);
    fails!(open(c"/etc/motd/file", O_RDONLY), ENOTDIR);
    fails!(open(c"/etc/motd/", O_RDONLY), ENOTDIR);
    fails!(open(c"/etc/motd/.", O_RDONLY), ENOTDIR);
    fails!(open(c"/tests/data/dangling", O_RDONLY), ENOENT);
    fails!(open(c"/tests/data/loop-a", O_RDONLY), ELOOP);
    fails!(open(c"/tests/data/loop-a/file", O_RDONLY), ELOOP);
    for path in [c"/etc/motd", c"//etc///motd", c"/etc/./motd", c"/etc/../etc/motd", c"/../../etc/motd"] {
        good!(close(good!(open(path, O_RDONLY))));
    }

    // 255 bytes are a name, 256 are not; 4095 are a path, 4096 are not.
    let mut name = [b'n'; 300];
    name[0] = b'/';
    name[256] = 0;
    fails!(open(prefix(&name), O_RDONLY), ENOENT);
    name[256] = b'n';
    name[257] = 0;
    fails!(open(prefix(&name), O_RDONLY), ENAMETOOLONG);
    let mut path = [b'/'; 5000];
    path[4095] = 0;
    good!(close(good!(open(prefix(&path), O_RDONLY))));
    path[4095] = b'/';
    path[4096] = 0;
    fails!(open(prefix(&path), O_RDONLY), ENAMETOOLONG);
    Ok(())
}

fn prefix(bytes: &[u8]) -> &CStr {
    CStr::from_bytes_until_nul(bytes).unwrap_or(c"")
}

fn flags() -> Outcome {
    let file = c"/etc/motd";
    // The disk is read-only.
    fails!(open(file, O_WRONLY), EROFS);
    fails!(open(file, O_RDWR), EROFS);
    fails!(open(file, O_RDONLY | O_TRUNC), EROFS);
    fails!(open(c"/etc/new", O_WRONLY | O_CREAT), EROFS);
    fails!(open(c"/etc/new", O_RDONLY), ENOENT);
    fails!(open(file, O_RDONLY | O_CREAT | O_EXCL), EEXIST);
    good!(close(good!(open(file, O_RDONLY | O_CREAT))));

    fails!(open(file, O_RDONLY | O_DIRECTORY), ENOTDIR);
    fails!(open(c"/etc", O_WRONLY), EISDIR);
    fails!(open(c"/etc", O_RDWR), EISDIR);
    fails!(open(c"/etc", O_RDONLY | O_CREAT), EISDIR);
    good!(close(good!(open(c"/etc", O_RDONLY | O_DIRECTORY))));

    fails!(open(c"/tests/data/to-small", O_RDONLY | O_NOFOLLOW), ELOOP);
    good!(close(good!(open(c"/tests/data/to-small", O_RDONLY))));
    // Only the last part counts.
    good!(close(good!(open(c"/tests/data/to-long/entry-0001", O_RDONLY | O_NOFOLLOW))));
    Ok(())
}

fn directories() -> Outcome {
    let data = good!(open(c"/tests/data", O_RDONLY | O_DIRECTORY));
    let file = good!(openat(data, c"small", O_RDONLY));
    good!(close(good!(openat(data, c"long/entry-0999", O_RDONLY))));
    good!(close(good!(openat(data, c"../data/to-long/../small", O_RDONLY))));
    good!(close(good!(openat(data, c".", O_RDONLY))));
    fails!(openat(data, c"motd", O_RDONLY), ENOENT);
    fails!(openat(file, c"small", O_RDONLY), ENOTDIR);
    fails!(openat(12345, c"small", O_RDONLY), EBADF);
    fails!(openat(usize::MAX, c"small", O_RDONLY), EBADF);
    // An absolute path needs no directory.
    good!(close(good!(openat(12345, c"/etc/motd", O_RDONLY))));
    good!(close(file));
    good!(close(data));
    Ok(())
}

fn numbers() -> Outcome {
    let first = good!(open(c"/etc/motd", O_RDONLY));
    let second = good!(open(c"/etc/motd", O_RDONLY));
    equal!(second, first + 1);
    good!(close(first));
    fails!(close(first), EBADF);
    equal!(open(c"/etc", O_RDONLY), Ok(first));

    // As many as the limit allows (1024 everywhere), and again when one has been closed.
    let mut last = second;
    let error = loop {
        match open(c"/dev/null", O_RDONLY) {
            Ok(fd) => last = fd,
            Err(errno) => break errno,
        }
    };
    equal!(error, tests::Errno::EMFILE);
    tests::check!(last + 1 >= 256, "only {last} descriptors");
    good!(close(first));
    equal!(open(c"/dev/null", O_RDONLY), Ok(first));
    for fd in first..=last {
        good!(close(fd));
    }
    fails!(close(usize::MAX), EBADF);
    Ok(())
}
