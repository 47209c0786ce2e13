//! Bytes of files in memory: writes, appends, holes, truncation; mapped shared with other processes.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_memfd_create, MAP_SHARED, O_APPEND, O_CREAT, O_RDWR, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE,
    SEEK_SET,
};
use tests::files::{create, fstat, ftruncate, lseek, pwrite, unlink, write};
use tests::raw::{peek, poke};
use tests::{
    Outcome, READ_WRITE, call, close, dies, equal, fails, good, in_child, mmap, munmap, pread, read,
};

tests::program!(run);

const PATH: &core::ffi::CStr = c"/tmp/tmpfs-test";
/// What some of these tests cut and grow files by.
const PIECE: usize = 4096;

fn run(_: rt::Args) -> Outcome {
    let _ = unlink(PATH);
    positions()?;
    holes()?;
    truncation()?;
    large()?;
    shared()?;
    memfd()?;
    Ok(())
}

fn positions() -> Outcome {
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    let mut buffer = [0; 32];
    equal!(write(fd, b"hello, "), Ok(7));
    equal!(write(fd, b"world"), Ok(5));
    equal!(lseek(fd, 0, SEEK_CUR), Ok(12));
    equal!(pwrite(fd, b"W", 7), Ok(1));
    equal!(lseek(fd, 0, SEEK_CUR), Ok(12));
    equal!(read(fd, &mut buffer), Ok(0));
    equal!(pread(fd, &mut buffer, 0), Ok(12));
    equal!(buffer[..12], *b"hello, World");
    let append = good!(create(PATH, O_RDWR | O_APPEND, 0));
    equal!(write(append, b"!"), Ok(1));
    equal!(lseek(append, 0, SEEK_CUR), Ok(13));
    // Appending is the file's property, wherever the call wants to write.
    equal!(pwrite(append, b"?", 0), Ok(1));
    equal!(pread(fd, &mut buffer, 0), Ok(14));
    equal!(buffer[..14], *b"hello, World!?");
    fails!(call(rt::sys::raw::__NR_write, [fd, 8, 10]), EFAULT);
    equal!(good!(fstat(fd)).size, 14);
    fails!(pwrite(fd, b"x", usize::MAX), EINVAL);
    fails!(pwrite(fd, b"xy", i64::MAX as usize - 1), EINVAL);
    good!(close(append));
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

fn holes() -> Outcome {
    const FAR: usize = 1 << 30;
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    equal!(pwrite(fd, b"end", FAR), Ok(3));
    equal!(pwrite(fd, b"start", 0), Ok(5));
    let stat = good!(fstat(fd));
    equal!(stat.size, FAR as u64 + 3);
    let page = tests::kernel_page();
    let two_pages = 2 * page as u64 / 512;
    equal!(stat.blocks, two_pages);
    let mut buffer = [1; 64];
    equal!(pread(fd, &mut buffer, FAR / 2), Ok(64));
    equal!(buffer, [0; 64]);
    equal!(pread(fd, &mut buffer, FAR - 61), Ok(64));
    equal!(buffer[61..], *b"end");
    equal!(good!(fstat(fd)).blocks, two_pages);
    equal!(lseek(fd, 0, SEEK_HOLE), Ok(page));
    equal!(lseek(fd, page as isize, SEEK_DATA), Ok(FAR));
    equal!(lseek(fd, FAR as isize, SEEK_HOLE), Ok(FAR + 3));
    fails!(lseek(fd, FAR as isize + 3, SEEK_DATA), ENXIO);
    equal!(lseek(fd, 0, SEEK_END), Ok(FAR + 3));
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

fn truncation() -> Outcome {
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    let ones = [1; 3 * PIECE];
    equal!(write(fd, &ones), Ok(ones.len()));
    good!(ftruncate(fd, 100));
    tests::check!(good!(fstat(fd)).blocks <= 32);
    good!(ftruncate(fd, 2 * PIECE));
    let mut buffer = [9; 2 * PIECE];
    equal!(pread(fd, &mut buffer, 0), Ok(2 * PIECE));
    tests::check!(buffer[..100].iter().all(|byte| *byte == 1) && buffer[100..].iter().all(|byte| *byte == 0));
    good!(ftruncate(fd, 10));
    let page = rt::page_size();
    let at = good!(mmap(0, page, READ_WRITE, MAP_SHARED as usize, fd, 0));
    poke(at + 20, 7);
    equal!(peek(at + 20), 7);
    equal!(pwrite(fd, b"x", 30), Ok(1));
    equal!(pread(fd, &mut buffer[..64], 0), Ok(31));
    // What a mapper stored behind the end is not in the file when it grows. Not every Linux has that in memory.
    if tests::on_granule() {
        equal!(buffer[20], 0);
    }
    equal!(buffer[30], b'x');
    good!(munmap(at, page));
    good!(ftruncate(fd, 0));
    equal!(good!(fstat(fd)).blocks, 0);
    fails!(ftruncate(fd, usize::MAX), EINVAL);
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

/// Larger than any folio, at odd positions.
fn large() -> Outcome {
    const LEN: usize = 300_001;
    let memory = good!(tests::anonymous(LEN));
    for at in (0..LEN).step_by(7) {
        poke(memory + at, at as u8);
    }
    let bytes = tests::raw::bytes(memory, LEN);
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    equal!(pwrite(fd, bytes, 1234), Ok(LEN));
    let copy = good!(tests::anonymous(LEN));
    equal!(call(rt::sys::raw::__NR_pread64, [fd, copy, LEN, 1234]), Ok(LEN));
    tests::check!(tests::raw::bytes(copy, LEN) == bytes);
    equal!(good!(fstat(fd)).size, (LEN + 1234) as u64);
    good!(munmap(copy, LEN));
    good!(munmap(memory, LEN));
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

fn shared() -> Outcome {
    let fd = good!(create(c"/dev/shm/tmpfs-test", O_CREAT | O_RDWR, 0o600));
    let page = rt::page_size();
    good!(ftruncate(fd, 3 * page));
    let at = good!(mmap(0, 4 * page, READ_WRITE, MAP_SHARED as usize, fd, 0));
    poke(at + page, 42);
    in_child!(|| {
        equal!(peek(at + page), 42);
        poke(at + page + 1, 43);
        equal!(pwrite(fd, b"from write", 2 * page), Ok(10));
        Ok(())
    });
    equal!(peek(at + page + 1), 43);
    equal!(peek(at + 2 * page), b'f');
    let mut byte = [0];
    equal!(pread(fd, &mut byte, page), Ok(1));
    equal!(byte[0], 42);
    dies!(SIGBUS, peek(at + 3 * page));
    good!(munmap(at, 4 * page));
    good!(close(fd));
    good!(unlink(c"/dev/shm/tmpfs-test"));
    Ok(())
}

fn memfd() -> Outcome {
    let fd = good!(call(__NR_memfd_create, [c"test".as_ptr() as usize, 0]));
    equal!(write(fd, b"memory"), Ok(6));
    equal!(lseek(fd, 0, SEEK_SET), Ok(0));
    let stat = good!(fstat(fd));
    equal!(stat.size, 6);
    equal!(stat.nlink, 0);
    equal!(stat.mode, 0o100_777);
    let page = rt::page_size();
    let at = good!(mmap(0, page, READ_WRITE, MAP_SHARED as usize, fd, 0));
    equal!(peek(at), b'm');
    good!(close(fd));
    equal!(peek(at + 5), b'y');
    good!(munmap(at, page));
    fails!(call(__NR_memfd_create, [c"test".as_ptr() as usize, 0x8000]), EINVAL);
    Ok(())
}
