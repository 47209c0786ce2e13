//! /dev: null, zero, full, console, random.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_lseek, __NR_write, O_RDONLY, O_RDWR, O_WRONLY};
use tests::{Outcome, call, close, equal, fails, good, open, pread, read};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    let bytes = [1u8; 5000];
    let write = |fd: usize| call(__NR_write, [fd, bytes.as_ptr() as usize, bytes.len()]);
    let mut buffer = [9u8; 5000];

    let null = good!(open(c"/dev/null", O_RDWR));
    equal!(write(null), Ok(5000));
    equal!(read(null, &mut buffer), Ok(0));
    equal!(pread(null, &mut buffer, 100), Ok(0));
    equal!(call(__NR_lseek, [null, 100, 0]), Ok(0));

    let zero = good!(open(c"/dev/zero", O_RDWR));
    equal!(write(zero), Ok(5000));
    equal!(read(zero, &mut buffer), Ok(5000));
    tests::check!(buffer.iter().all(|&byte| byte == 0));

    let full = good!(open(c"/dev/full", O_RDWR));
    fails!(write(full), ENOSPC);
    buffer.fill(9);
    equal!(read(full, &mut buffer), Ok(5000));
    tests::check!(buffer.iter().all(|&byte| byte == 0));

    let console = good!(open(c"/dev/console", O_WRONLY));
    equal!(call(__NR_write, [console, c"# hello, console\n".as_ptr() as usize, 17]), Ok(17));
    equal!(call(__NR_write, [console, bytes.as_ptr() as usize, 0]), Ok(0));
    fails!(read(console, &mut buffer), EBADF);
    fails!(call(__NR_lseek, [console, 0, 0]), ESPIPE);

    let random = good!(open(c"/dev/urandom", O_RDWR));
    let (mut one, mut two) = ([0u8; 1000], [0u8; 1000]);
    equal!(read(random, &mut one), Ok(1000));
    equal!(read(random, &mut two), Ok(1000));
    tests::check!(one != two && one.iter().any(|&byte| byte != one[0]));
    equal!(write(random), Ok(5000));
    good!(close(random));
    good!(close(good!(open(c"/dev/random", O_RDONLY))));

    let read_only = good!(open(c"/dev/null", O_RDONLY));
    fails!(write(read_only), EBADF);
    fails!(open(c"/dev/null/x", O_RDONLY), ENOTDIR);
    fails!(open(c"/dev/nothing", O_RDONLY), ENOENT);
    for fd in [null, zero, full, console, read_only] {
        good!(close(fd));
    }

    let directory = good!(open(c"/dev", O_RDONLY));
    let mut buffer = [0u8; 4096];
    let buffer_at = buffer.as_mut_ptr() as usize;
    let mut listed = 0;
    loop {
        let len = good!(call(rt::sys::raw::__NR_getdents64, [directory, buffer_at, buffer.len()]));
        if len == 0 {
            break;
        }
        listed += [&b"\0null\0"[..], b"\x02null\0", b"\x02zero\0", b"\x02full\0", b"\x02console\0"]
            .iter()
            .filter(|name| buffer[..len].windows(name.len()).any(|window| window == **name))
            .count();
    }
    equal!(listed, 4);
    Ok(())
}
