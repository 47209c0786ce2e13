//! openat2: what it refuses, and walks with bounds.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::Result;
use rt::sys::raw::{
    __NR_openat2, __NR_symlinkat, AT_FDCWD, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, O_RDWR,
    O_TMPFILE, O_TRUNC, O_WRONLY,
};
use tests::files::{fstat, mkdir, rmdir, unlink};
use tests::{Outcome, call, close, equal, fails, good, open};

tests::program!(run);

const NO_XDEV: u64 = 1;
const NO_SYMLINKS: u64 = 4;
const BENEATH: u64 = 8;
const IN_ROOT: u64 = 16;
const HERE: usize = AT_FDCWD as usize;
const DIR: &CStr = c"/tmp/openat2-test";

fn openat2(dirfd: usize, path: &CStr, flags: u32, mode: u64, resolve: u64) -> Result {
    let how = [u64::from(flags), mode, resolve];
    call(__NR_openat2, [dirfd, path.as_ptr() as usize, how.as_ptr() as usize, 24])
}

fn run(_: rt::Args) -> Outcome {
    refused()?;
    good!(mkdir(DIR, 0o700));
    let dir = good!(open(DIR, O_DIRECTORY));
    let fd = good!(openat2(dir, c"file", O_CREAT | O_RDWR, 0o640, 0));
    equal!(good!(fstat(fd)).mode, 0o100_640);
    good!(close(fd));
    bounds(dir)?;
    good!(close(dir));
    good!(unlink(c"/tmp/openat2-test/file"));
    good!(rmdir(DIR));
    Ok(())
}

fn refused() -> Outcome {
    let motd = c"/etc/motd";
    let how = [0u64, 0, 0, 0];
    let sized = |size: usize| call(__NR_openat2, [HERE, motd.as_ptr() as usize, how.as_ptr() as usize, size]);
    good!(close(good!(sized(24))));
    good!(close(good!(sized(32))));
    fails!(sized(23), EINVAL);
    fails!(sized(1 << 20), E2BIG);
    let newer = [0u64, 0, 0, 1];
    fails!(call(__NR_openat2, [HERE, motd.as_ptr() as usize, newer.as_ptr() as usize, 32]), E2BIG);
    fails!(call(__NR_openat2, [HERE, motd.as_ptr() as usize, 8, 24]), EFAULT);
    fails!(openat2(HERE, motd, O_RDONLY, 0o600, 0), EINVAL);
    fails!(openat2(HERE, c"/tmp/none", O_CREAT | O_WRONLY, 0o10_000, 0), EINVAL);
    fails!(openat2(HERE, motd, 1 << 30, 0, 0), EINVAL);
    fails!(openat2(HERE, motd, O_PATH | O_RDWR, 0, 0), EINVAL);
    fails!(openat2(HERE, c"/tmp", O_TMPFILE | O_RDONLY, 0o600, 0), EINVAL);
    fails!(openat2(HERE, motd, 0, 0, 1 << 20), EINVAL);
    fails!(openat2(HERE, motd, 0, 0, BENEATH | IN_ROOT), EINVAL);
    fails!(openat2(HERE, motd, O_WRONLY | O_TRUNC, 0, 32), EAGAIN);
    Ok(())
}

fn bounds(dir: usize) -> Outcome {
    let link = |target: &CStr, name: &CStr| {
        call(__NR_symlinkat, [target.as_ptr() as usize, dir, name.as_ptr() as usize])
    };
    good!(link(c"file", c"inside"));
    good!(link(c"../openat2-test/file", c"around"));
    good!(link(c"/file", c"absolute"));
    let opens = |path, resolve| openat2(dir, path, O_RDONLY, 0, resolve).and_then(close);

    equal!(opens(c"inside", BENEATH), Ok(0));
    fails!(opens(c"around", BENEATH), EXDEV);
    fails!(opens(c"..", BENEATH), EXDEV);
    fails!(opens(c"/etc/motd", BENEATH), EXDEV);
    fails!(opens(c"absolute", BENEATH), EXDEV);

    equal!(opens(c"absolute", IN_ROOT), Ok(0));
    equal!(opens(c"/file", IN_ROOT), Ok(0));
    equal!(opens(c"../../file", IN_ROOT), Ok(0));
    fails!(opens(c"around", IN_ROOT), ENOENT);
    fails!(opens(c"/etc/motd", IN_ROOT), ENOENT);

    equal!(opens(c"file", NO_SYMLINKS), Ok(0));
    fails!(opens(c"inside", NO_SYMLINKS), ELOOP);
    good!(close(good!(openat2(dir, c"inside", O_PATH | O_NOFOLLOW, 0, NO_SYMLINKS))));

    equal!(opens(c"file", NO_XDEV), Ok(0));
    fails!(openat2(HERE, c"/dev/../etc", O_RDONLY, 0, NO_XDEV), EXDEV);
    fails!(openat2(HERE, c"/dev/null", O_RDONLY, 0, NO_XDEV), EXDEV);
    for name in [c"/tmp/openat2-test/inside", c"/tmp/openat2-test/around", c"/tmp/openat2-test/absolute"] {
        good!(unlink(name));
    }
    Ok(())
}
