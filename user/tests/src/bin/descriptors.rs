//! dup, dup3, readv, writev: descriptors and what goes through them in pieces.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_dup, __NR_dup3, __NR_lseek, __NR_readv, __NR_writev, O_CLOEXEC, O_RDONLY, O_WRONLY, SEEK_CUR,
};
use tests::{Outcome, anonymous, call, close, equal, fails, good, open, pattern, raw, read};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let position = |fd: usize| call(__NR_lseek, [fd, 0, SEEK_CUR as usize]);

    // Two numbers, one open file.
    let second = good!(call(__NR_dup, [fd]));
    tests::check!(second > fd);
    equal!(read(second, &mut [0; 10]), Ok(10));
    equal!(position(fd), Ok(10));
    equal!(call(__NR_dup3, [fd, 100, O_CLOEXEC as usize]), Ok(100));
    good!(close(fd));
    equal!(position(100), Ok(10));
    // Over one that is open.
    let null = good!(open(c"/dev/null", O_WRONLY));
    equal!(call(__NR_dup3, [100, null, 0]), Ok(null));
    equal!(position(null), Ok(10));
    fails!(call(__NR_dup3, [100, 100, 0]), EINVAL);
    fails!(call(__NR_dup3, [100, 101, 1]), EINVAL);
    fails!(call(__NR_dup3, [fd + 900, 101, 0]), EBADF);
    fails!(call(__NR_dup3, [100, 1 << 30, 0]), EBADF);
    fails!(call(__NR_dup, [900]), EBADF);

    // In pieces: an empty one, one over a page's edge, one that is larger than what is left.
    let buffer = good!(anonymous(3 * 4096));
    let pieces = [buffer, 0, buffer + 4000, 200, buffer + 8192, 300];
    let at = pieces.as_ptr() as usize;
    equal!(call(__NR_readv, [second, at, 3]), Ok(500));
    equal!(pattern::difference(raw::bytes(buffer + 4000, 200), 10), None);
    equal!(pattern::difference(raw::bytes(buffer + 8192, 300), 210), None);
    equal!(call(__NR_readv, [second, at, 0]), Ok(0));
    let null = good!(open(c"/dev/null", O_WRONLY));
    equal!(call(__NR_writev, [null, at, 3]), Ok(500));
    fails!(call(__NR_writev, [second, at, 3]), EBADF);
    fails!(call(__NR_readv, [second, at, 1025]), EINVAL);
    fails!(call(__NR_readv, [second, at, usize::MAX]), EINVAL);
    let negative = [buffer, usize::MAX];
    fails!(call(__NR_readv, [second, negative.as_ptr() as usize, 1]), EINVAL);
    fails!(call(__NR_readv, [second, 8, 1]), EFAULT);
    fails!(call(__NR_readv, [900, at, 1]), EBADF);
    Ok(())
}
