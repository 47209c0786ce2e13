//! Attributes: modes, owners, times, access; what statx and statfs tell; umask.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_faccessat, __NR_faccessat2, __NR_fchdir, __NR_fchmod, __NR_fchmodat, __NR_fchownat, __NR_getcwd,
    __NR_statfs, __NR_statx, __NR_truncate, __NR_umask, __NR_utimensat, AT_EMPTY_PATH, AT_FDCWD, O_CREAT,
    O_DIRECTORY, O_PATH, O_RDONLY, O_RDWR,
};
use tests::files::{create, fstat, lstat, mkdir, rmdir, unlink};
use tests::{Outcome, call, close, equal, fails, good, open};

tests::program!(run);

const HERE: usize = AT_FDCWD as usize;
const PATH: &core::ffi::CStr = c"/tmp/attributes";

fn run(_: rt::Args) -> Outcome {
    let _ = unlink(PATH);
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o666));
    let name = PATH.as_ptr() as usize;
    equal!(good!(fstat(fd)).mode, 0o100_644);
    good!(call(__NR_fchmod, [fd, 0o7751]));
    equal!(good!(lstat(PATH)).mode, 0o107_751);
    good!(call(__NR_fchownat, [HERE, name, 12, usize::MAX, 0]));
    equal!(good!(fstat(fd)).uid, 12);
    equal!(good!(fstat(fd)).gid, 0);
    // Privileges do not change hands.
    equal!(good!(fstat(fd)).mode, 0o101_751);
    good!(call(__NR_fchownat, [fd, c"".as_ptr() as usize, 0, 34, AT_EMPTY_PATH as usize]));
    equal!((good!(fstat(fd)).uid, good!(fstat(fd)).gid), (0, 34));
    fails!(call(__NR_fchownat, [HERE, name, 0, 0, 0x8000]), EINVAL);
    times(fd)?;
    access()?;
    sizes(fd)?;
    extended(fd)?;
    working_directory()?;

    let old = good!(call(__NR_umask, [0o77]));
    good!(mkdir(c"/tmp/attributes-d", 0o777));
    equal!(good!(lstat(c"/tmp/attributes-d")).mode, 0o040_700);
    equal!(call(__NR_umask, [old]), Ok(0o77));
    good!(rmdir(c"/tmp/attributes-d"));
    let place = good!(open(PATH, O_PATH));
    fails!(call(__NR_fchmod, [place, 0o600]), EBADF);
    good!(close(place));
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

fn times(fd: usize) -> Outcome {
    const NOW: u64 = 0x3fff_ffff;
    const OMIT: u64 = 0x3fff_fffe;
    let set = |times: [u64; 4], flags: usize| {
        call(__NR_utimensat, [HERE, PATH.as_ptr() as usize, times.as_ptr() as usize, flags])
    };
    good!(set([1000, 5, 2000, 6], 0));
    equal!(good!(fstat(fd)).atime, (1000, 5));
    equal!(good!(fstat(fd)).mtime, (2000, 6));
    good!(set([0, OMIT, 3000, 0], 0));
    equal!(good!(fstat(fd)).atime, (1000, 5));
    equal!(good!(fstat(fd)).mtime, (3000, 0));
    fails!(set([0, 1_000_000_000, 0, 0], 0), EINVAL);
    fails!(set([0, 0, 0, 0], 0x8000), EINVAL);
    good!(set([0, NOW, 0, OMIT], 0));
    equal!(good!(fstat(fd)).mtime, (3000, 0));
    tests::check!(good!(fstat(fd)).atime != (1000, 5));
    good!(call(__NR_utimensat, [fd, 0, [7u64, 0, 8, 0].as_ptr() as usize, 0]));
    equal!(good!(fstat(fd)).mtime, (8, 0));
    good!(call(__NR_utimensat, [fd, 0, 0, 0]));
    tests::check!(good!(fstat(fd)).mtime != (8, 0));
    // A write is noticed, even without bytes of the past.
    good!(set([1, 0, 1, 0], 0));
    equal!(tests::files::write(fd, b"x"), Ok(1));
    tests::check!(good!(fstat(fd)).mtime.0 != 1);
    Ok(())
}

fn access() -> Outcome {
    const AT_EACCESS: usize = 0x200;
    let ask =
        |path: &core::ffi::CStr, mode: usize| call(__NR_faccessat, [HERE, path.as_ptr() as usize, mode]);
    good!(call(__NR_fchmodat, [HERE, PATH.as_ptr() as usize, 0o600]));
    good!(ask(PATH, 0));
    good!(ask(PATH, 6));
    fails!(ask(PATH, 1), EACCES);
    fails!(ask(PATH, 8), EINVAL);
    fails!(ask(c"/tmp/nothing", 0), ENOENT);
    good!(call(__NR_faccessat2, [HERE, PATH.as_ptr() as usize, 4, AT_EACCESS]));
    fails!(call(__NR_faccessat2, [HERE, PATH.as_ptr() as usize, 4, 1]), EINVAL);
    if tests::on_granule() {
        good!(ask(c"/bin/cat", 5));
        fails!(ask(c"/bin/cat", 2), EROFS);
        good!(ask(c"/dev/null", 2));
    }
    Ok(())
}

fn sizes(fd: usize) -> Outcome {
    let cut = |path: &core::ffi::CStr, size: usize| call(__NR_truncate, [path.as_ptr() as usize, size]);
    good!(cut(PATH, 12345));
    equal!(good!(fstat(fd)).size, 12345);
    fails!(cut(PATH, usize::MAX), EINVAL);
    fails!(cut(c"/tmp", 0), EISDIR);
    fails!(cut(c"/dev/null", 0), EINVAL);
    let mut raw = [0u64; 15];
    good!(call(__NR_statfs, [c"/tmp".as_ptr() as usize, raw.as_mut_ptr() as usize]));
    if tests::on_granule() {
        const TMPFS: u64 = 0x0102_1994;
        equal!(raw[0], TMPFS);
        tests::check!(raw[2] > raw[3] && raw[3] > 0);
        good!(call(__NR_statfs, [c"/bin".as_ptr() as usize, raw.as_mut_ptr() as usize]));
        equal!(raw[0], 0xe0f5_e1e2);
    }
    equal!((raw[1], raw[8]), (tests::kernel_page() as u64, 255));
    Ok(())
}

fn extended(fd: usize) -> Outcome {
    let mut raw = [0u32; 64];
    let to = raw.as_mut_ptr() as usize;
    good!(call(__NR_statx, [fd, c"".as_ptr() as usize, AT_EMPTY_PATH as usize, 0x7ff, to]));
    let stat = good!(fstat(fd));
    equal!(raw[0] & 0x7ff, 0x7ff);
    equal!((raw[4], raw[5], raw[6]), (stat.nlink, stat.uid, stat.gid));
    equal!(raw[7] & 0xffff, stat.mode);
    equal!((raw[8], raw[10]), (stat.ino as u32, stat.size as u32));
    equal!((u64::from(raw[28]), u64::from(raw[30])), stat.mtime);
    fails!(call(__NR_statx, [fd, c"".as_ptr() as usize, 0, 0x7ff, to]), ENOENT);
    fails!(call(__NR_statx, [fd, c"".as_ptr() as usize, 0x6000, 0x7ff, to]), EINVAL);
    fails!(call(__NR_statx, [fd, c"".as_ptr() as usize, 0x1000, 0x8000_0000, to]), EINVAL);
    Ok(())
}

fn working_directory() -> Outcome {
    let mut text = [0u8; 64];
    good!(mkdir(c"/tmp/attributes-d", 0o755));
    let dir = good!(open(c"/tmp/attributes-d", O_RDONLY | O_DIRECTORY));
    good!(call(__NR_fchdir, [dir]));
    equal!(call(__NR_getcwd, [text.as_mut_ptr() as usize, text.len()]), Ok(18));
    equal!(text[..18], *b"/tmp/attributes-d\0");
    fails!(call(__NR_getcwd, [text.as_mut_ptr() as usize, 17]), ERANGE);
    good!(rmdir(c"/tmp/attributes-d"));
    fails!(call(__NR_getcwd, [text.as_mut_ptr() as usize, text.len()]), ENOENT);
    fails!(mkdir(c"x", 0o755), ENOENT);
    good!(close(dir));
    let file = good!(open(PATH, O_RDONLY));
    fails!(call(__NR_fchdir, [file]), ENOTDIR);
    good!(close(file));
    good!(call(rt::sys::raw::__NR_chdir, [c"/".as_ptr() as usize]));
    Ok(())
}
