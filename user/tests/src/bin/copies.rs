//! Vectors of buffers, and copies inside the kernel: readv and its like, sendfile, copy_file_range.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_copy_file_range, __NR_preadv, __NR_pwritev, __NR_readv, __NR_sendfile, __NR_writev, O_CREAT,
    O_RDONLY, O_RDWR, SEEK_CUR,
};
use tests::files::{create, fstat, ftruncate, lseek, pipe, pwrite, unlink};
use tests::{Outcome, call, close, equal, fails, good, open, pread, read};

tests::program!(run);

const FROM: &core::ffi::CStr = c"/tmp/copies-from";
const TO: &core::ffi::CStr = c"/tmp/copies-to";

fn run(_: rt::Args) -> Outcome {
    let from = good!(create(FROM, O_CREAT | O_RDWR, 0o600));
    let to = good!(create(TO, O_CREAT | O_RDWR, 0o600));
    vectors(from)?;
    sent(from, to)?;
    copied(from, to)?;
    good!(close(from));
    good!(close(to));
    good!(unlink(FROM));
    good!(unlink(TO));
    Ok(())
}

fn vectors(fd: usize) -> Outcome {
    let texts: [&[u8]; 3] = [b"one ", b"", b"two"];
    let list = texts.map(|text| [text.as_ptr() as usize, text.len()]);
    equal!(call(__NR_writev, [fd, list.as_ptr() as usize, 3]), Ok(7));
    equal!(call(__NR_pwritev, [fd, list.as_ptr() as usize, 3, 10, 0]), Ok(7));
    equal!(lseek(fd, 0, SEEK_CUR), Ok(7));
    let (mut head, mut tail) = ([0u8; 5], [0u8; 20]);
    let list = [[head.as_mut_ptr() as usize, 5], [tail.as_mut_ptr() as usize, 20]];
    equal!(call(__NR_preadv, [fd, list.as_ptr() as usize, 2, 0, 0]), Ok(17));
    equal!(head, *b"one t");
    equal!(tail[..12], *b"wo\0\0\0one two");
    equal!(lseek(fd, 0, 0), Ok(0));
    equal!(call(__NR_readv, [fd, list.as_ptr() as usize, 1]), Ok(5));
    fails!(call(__NR_readv, [fd, list.as_ptr() as usize, 1025]), EINVAL);
    fails!(call(__NR_preadv, [fd, list.as_ptr() as usize, 1, usize::MAX, usize::MAX]), EINVAL);
    Ok(())
}

fn sent(from: usize, to: usize) -> Outcome {
    let motd = good!(open(c"/etc/motd", O_RDONLY));
    let size = good!(fstat(motd)).size as usize;
    equal!(call(__NR_sendfile, [to, motd, 0, 1 << 30]), Ok(size));
    equal!(lseek(motd, 0, SEEK_CUR), Ok(size));
    equal!(good!(fstat(to)).size as usize, size);
    let mut offset = 4u64;
    let (reader, writer) = good!(pipe(0));
    equal!(call(__NR_sendfile, [writer, from, &raw mut offset as usize, 3]), Ok(3));
    equal!(offset, 7);
    let mut text = [0; 8];
    equal!(read(reader, &mut text), Ok(3));
    equal!(text[..3], *b"two");
    fails!(call(__NR_sendfile, [motd, from, 0, 3]), EBADF);
    fails!(call(__NR_sendfile, [to, 99, 0, 3]), EBADF);
    for fd in [motd, reader, writer] {
        good!(close(fd));
    }
    Ok(())
}

fn copied(from: usize, to: usize) -> Outcome {
    const FAR: usize = 100_000;
    good!(ftruncate(to, 0));
    equal!(pwrite(from, b"far", FAR), Ok(3));
    let (mut start, mut out) = (0u64, 50u64);
    let at = |offset: &mut u64| &raw mut *offset as usize;
    equal!(call(__NR_copy_file_range, [from, at(&mut start), to, at(&mut out), 1 << 20, 0]), Ok(FAR + 3));
    equal!((start as usize, out as usize), (FAR + 3, FAR + 53));
    let mut text = [0; 16];
    equal!(pread(to, &mut text, FAR + 50), Ok(3));
    equal!(text[..3], *b"far");
    equal!(call(__NR_copy_file_range, [from, at(&mut start), to, at(&mut out), 10, 0]), Ok(0));
    fails!(call(__NR_copy_file_range, [from, 0, to, 0, 10, 1]), EINVAL);
    (start, out) = (0, 5);
    fails!(call(__NR_copy_file_range, [from, at(&mut start), from, at(&mut out), 10, 0]), EINVAL);
    let dir = good!(open(c"/tmp", O_RDONLY));
    fails!(call(__NR_copy_file_range, [dir, 0, to, 0, 10, 0]), EISDIR);
    good!(close(dir));
    Ok(())
}
