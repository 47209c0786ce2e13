//! Symbolic links: followed, relative and absolute, forty in a row and no more.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::raw::{__NR_readlinkat, AT_FDCWD, O_RDONLY};
use tests::{Errno, Outcome, call, close, equal, fails, good, open, read};

tests::program!(run);

const TEXT: &[u8] = b"a small file\n";

fn run(_: rt::Args) -> Outcome {
    for path in
        [c"/tests/data/to-small", c"/tests/data/upwards", c"/tests/data/chain/1", c"/tests/data/chain/40"]
    {
        reads_small(path)?;
    }
    let first = good!(open(c"/tests/data/to-long/entry-0000", O_RDONLY));
    good!(close(first));
    fails!(open(c"/tests/data/chain/41", O_RDONLY), ELOOP);
    // A link in the middle counts, too.
    fails!(open(c"/tests/data/to-long/../chain/40", O_RDONLY), ELOOP);

    let mut buffer = [b'#'; 64];
    let readlink = |path: &CStr, buffer: &mut [u8], len: usize| {
        call(__NR_readlinkat, [AT_FDCWD as usize, path.as_ptr() as usize, buffer.as_mut_ptr() as usize, len])
    };
    match readlink(c"/tests/data/to-long", &mut buffer, 64) {
        Err(Errno::ENOSYS) => return Ok(()),
        len => equal!(len, Ok(b"/tests/data/long".len())),
    }
    equal!(buffer[..17], *b"/tests/data/long#");
    equal!(readlink(c"/tests/data/to-long", &mut buffer, 3), Ok(3));
    fails!(readlink(c"/tests/data/small", &mut buffer, 64), EINVAL);
    fails!(readlink(c"/tests/data/to-long", &mut buffer, 0), EINVAL);
    fails!(readlink(c"/tests/data/nothing", &mut buffer, 64), ENOENT);
    equal!(readlink(c"/tests/data/dangling", &mut buffer, 64), Ok(7));
    Ok(())
}

fn reads_small(path: &CStr) -> Outcome {
    let fd = good!(open(path, O_RDONLY));
    let mut buffer = [0; 64];
    equal!(read(fd, &mut buffer), Ok(TEXT.len()));
    equal!(buffer[..TEXT.len()], *TEXT);
    good!(close(fd));
    Ok(())
}
