//! Space of files in memory: fallocate, seals, files without a name, the limit on their size.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{
    __NR_fallocate, __NR_linkat, __NR_memfd_create, __NR_prlimit64, __NR_rt_sigaction, AT_EMPTY_PATH,
    AT_FDCWD, F_ADD_SEALS, F_GET_SEALS, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK,
    F_SEAL_WRITE, MAP_SHARED, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY,
    O_RDWR, O_TMPFILE, RLIMIT_FSIZE, SEEK_DATA, SEEK_HOLE,
};
use tests::files::{create, fcntl, fstat, ftruncate, lseek, lstat, pipe, pwrite, unlink, write};
use tests::raw::peek;
use tests::{
    Outcome, PRIVATE, READ, READ_WRITE, call, close, equal, fails, good, in_child, mmap, mprotect, munmap,
    open, pread,
};

tests::program!(run);

const PATH: &core::ffi::CStr = c"/tmp/space-test";
const PAGE: usize = 65536;
const KEEP_SIZE: usize = 1;
const PUNCH: usize = 2 | KEEP_SIZE;
const SHARED: usize = MAP_SHARED as usize;

fn fallocate(fd: usize, mode: usize, offset: usize, len: usize) -> Result {
    call(__NR_fallocate, [fd, mode, offset, len])
}

fn memfd(flags: u32) -> Result {
    call(__NR_memfd_create, [c"space".as_ptr() as usize, flags as usize])
}

fn run(_: rt::Args) -> Outcome {
    let _ = unlink(PATH);
    allocation()?;
    holes()?;
    allocation_errors()?;
    seals()?;
    seals_and_mappings()?;
    without_a_name()?;
    in_child!(size_limit);
    Ok(())
}

fn allocation() -> Outcome {
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    equal!(write(fd, b"data"), Ok(4));
    equal!(fallocate(fd, 0, PAGE, PAGE), Ok(0));
    let stat = good!(fstat(fd));
    equal!(stat.size, 2 * PAGE as u64);
    tests::check!(stat.blocks >= (PAGE / 512) as u64);
    equal!(fallocate(fd, KEEP_SIZE, 4 * PAGE, PAGE), Ok(0));
    equal!(good!(fstat(fd)).size, 2 * PAGE as u64);
    tests::check!(good!(fstat(fd)).blocks >= (2 * PAGE / 512) as u64);
    let mut bytes = [1; 8];
    equal!(pread(fd, &mut bytes, 0), Ok(8));
    equal!(bytes, *b"data\0\0\0\0");
    equal!(pread(fd, &mut bytes, 2 * PAGE - 4), Ok(4));
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

fn holes() -> Outcome {
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    for page in 0..4 {
        for part in 0..PAGE / 4096 {
            equal!(pwrite(fd, &[7; 4096], page * PAGE + part * 4096), Ok(4096));
        }
    }
    let at = good!(mmap(0, 4 * PAGE, READ, SHARED, fd, 0));
    let before = good!(fstat(fd)).blocks;
    equal!(fallocate(fd, PUNCH, PAGE, PAGE), Ok(0));
    equal!(fallocate(fd, PUNCH, 3 * PAGE - 10, 20), Ok(0));
    let stat = good!(fstat(fd));
    equal!(stat.size, 4 * PAGE as u64);
    equal!(stat.blocks, before - (PAGE / 512) as u64);
    equal!(lseek(fd, 0, SEEK_HOLE), Ok(PAGE));
    equal!(lseek(fd, PAGE as isize, SEEK_DATA), Ok(2 * PAGE));
    let mut bytes = [1; 24];
    equal!(pread(fd, &mut bytes, 3 * PAGE - 12), Ok(24));
    tests::check!(bytes[..2] == [7; 2] && bytes[2..22] == [0; 20] && bytes[22..] == [7; 2]);
    // Mappings show it, too, whether the page was touched before or is now.
    equal!(peek(at + PAGE + 5), 0);
    equal!(peek(at + 2 * PAGE), 7);
    equal!(fallocate(fd, PUNCH, 2 * PAGE, PAGE - 20), Ok(0));
    equal!(peek(at + 2 * PAGE), 0);
    // Beyond the end there is nothing to take.
    equal!(fallocate(fd, PUNCH, 100 * PAGE, PAGE), Ok(0));
    equal!(good!(fstat(fd)).size, 4 * PAGE as u64);
    good!(munmap(at, 4 * PAGE));
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

fn allocation_errors() -> Outcome {
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    fails!(fallocate(fd, 0, 0, 0), EINVAL);
    fails!(fallocate(fd, 0, usize::MAX, 1), EINVAL);
    fails!(fallocate(fd, 0, 0, usize::MAX), EINVAL);
    fails!(fallocate(fd, 0, 1, i64::MAX as usize), EFBIG);
    fails!(fallocate(fd, 2, 0, 1), EOPNOTSUPP);
    fails!(fallocate(fd, 8, 0, PAGE), EOPNOTSUPP);
    fails!(fallocate(fd, 16, 0, PAGE), EOPNOTSUPP);
    fails!(fallocate(fd, 0x1000, 0, PAGE), EOPNOTSUPP);
    fails!(fallocate(fd, 0, 0, 1 << 50), ENOSPC);
    equal!(good!(fstat(fd)).blocks, 0);
    let read_only = good!(open(PATH, O_RDONLY));
    fails!(fallocate(read_only, 0, 0, 1), EBADF);
    fails!(fallocate(99, 0, 0, 1), EBADF);
    let (reader, writer) = good!(pipe(0));
    fails!(fallocate(writer, 0, 0, 1), ESPIPE);
    for fd in [fd, read_only, reader, writer] {
        good!(close(fd));
    }
    good!(unlink(PATH));
    Ok(())
}

fn seals() -> Outcome {
    let fd = good!(memfd(MFD_ALLOW_SEALING));
    equal!(fcntl(fd, F_GET_SEALS, 0), Ok(0));
    good!(ftruncate(fd, 100));
    equal!(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK as usize), Ok(0));
    fails!(ftruncate(fd, 50), EPERM);
    good!(ftruncate(fd, 200));
    equal!(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW as usize), Ok(0));
    fails!(ftruncate(fd, 300), EPERM);
    good!(ftruncate(fd, 200));
    fails!(pwrite(fd, b"xy", 199), EPERM);
    equal!(pwrite(fd, b"x", 199), Ok(1));
    fails!(fallocate(fd, 0, 0, 300), EPERM);
    equal!(fcntl(fd, F_GET_SEALS, 0), Ok((F_SEAL_SHRINK | F_SEAL_GROW) as usize));
    fails!(fcntl(fd, F_ADD_SEALS, 0x100), EINVAL);
    equal!(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL as usize), Ok(0));
    fails!(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE as usize), EPERM);
    good!(close(fd));
    // Without the flag it is sealed against seals.
    let fd = good!(memfd(0));
    equal!(fcntl(fd, F_GET_SEALS, 0), Ok(F_SEAL_SEAL as usize));
    fails!(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE as usize), EPERM);
    good!(close(fd));
    let fd = good!(memfd(MFD_NOEXEC_SEAL));
    equal!(good!(fstat(fd)).mode & 0o777, 0o666);
    fails!(call(rt::sys::raw::__NR_fchmod, [fd, 0o777]), EPERM);
    equal!(call(rt::sys::raw::__NR_fchmod, [fd, 0o600]), Ok(0));
    good!(close(fd));
    let (reader, writer) = good!(pipe(0));
    fails!(fcntl(reader, F_GET_SEALS, 0), EINVAL);
    good!(close(reader));
    good!(close(writer));
    Ok(())
}

fn seals_and_mappings() -> Outcome {
    let fd = good!(memfd(MFD_ALLOW_SEALING));
    good!(ftruncate(fd, PAGE));
    let at = good!(mmap(0, PAGE, READ, SHARED, fd, 0));
    // It could be made writable.
    fails!(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE as usize), EBUSY);
    good!(munmap(at, PAGE));
    let at = good!(mmap(0, PAGE, READ_WRITE, PRIVATE, fd, 0));
    equal!(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE as usize), Ok(0));
    fails!(pwrite(fd, b"x", 0), EPERM);
    fails!(fallocate(fd, PUNCH, 0, PAGE), EPERM);
    fails!(mmap(0, PAGE, READ_WRITE, SHARED, fd, 0), EPERM);
    good!(munmap(at, PAGE));
    good!(close(fd));
    let fd = good!(memfd(MFD_ALLOW_SEALING));
    good!(ftruncate(fd, PAGE));
    let at = good!(mmap(0, PAGE, READ_WRITE, SHARED, fd, 0));
    equal!(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE as usize), Ok(0));
    tests::raw::poke(at, 5);
    fails!(pwrite(fd, b"x", 0), EPERM);
    fails!(mmap(0, PAGE, READ_WRITE, SHARED, fd, 0), EPERM);
    let other = good!(mmap(0, PAGE, READ, SHARED, fd, 0));
    equal!(peek(other), 5);
    fails!(mprotect(other, PAGE, READ_WRITE), EACCES);
    good!(munmap(at, PAGE));
    good!(munmap(other, PAGE));
    good!(close(fd));
    Ok(())
}

fn without_a_name() -> Outcome {
    let fd = good!(create(c"/tmp", O_TMPFILE | O_RDWR, 0o640));
    equal!(write(fd, b"hidden"), Ok(6));
    let stat = good!(fstat(fd));
    equal!((stat.nlink, stat.size, stat.mode), (0, 6, 0o100_640 & !0o022));
    let here = AT_FDCWD as usize;
    let link = [fd, c"".as_ptr() as usize, here, PATH.as_ptr() as usize, AT_EMPTY_PATH as usize];
    good!(call(__NR_linkat, link));
    equal!(good!(lstat(PATH)).ino, stat.ino);
    equal!(good!(fstat(fd)).nlink, 1);
    good!(unlink(PATH));
    // What had a name and lost it does not come back.
    fails!(call(__NR_linkat, link), ENOENT);
    good!(close(fd));
    let fd = good!(create(c"/tmp", O_TMPFILE | O_RDWR | O_EXCL, 0o600));
    fails!(call(__NR_linkat, [fd, link[1], link[2], link[3], link[4]]), ENOENT);
    good!(close(fd));
    fails!(create(c"/tmp", O_TMPFILE | O_RDONLY, 0o600), EINVAL);
    fails!(create(c"/tmp", O_TMPFILE & !O_DIRECTORY | O_RDWR, 0o600), EINVAL);
    fails!(create(c"/etc/motd", O_TMPFILE | O_RDWR, 0o600), ENOTDIR);
    Ok(())
}

/// In a child, as the limit and the signal's action stay.
fn size_limit() -> Outcome {
    const SIGXFSZ: usize = 25;
    const IGNORE: usize = 1;
    let limit = [1000u64, 1000];
    good!(call(__NR_prlimit64, [0, RLIMIT_FSIZE as usize, limit.as_ptr() as usize, 0]));
    let action = [IGNORE, 0, 0, 0];
    good!(call(__NR_rt_sigaction, [SIGXFSZ, action.as_ptr() as usize, 0, 8]));
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    equal!(pwrite(fd, &[1; 100], 950), Ok(50));
    fails!(pwrite(fd, b"x", 1000), EFBIG);
    fails!(ftruncate(fd, 1001), EFBIG);
    fails!(fallocate(fd, 0, 0, 1001), EFBIG);
    good!(ftruncate(fd, 1000));
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}
