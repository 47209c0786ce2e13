//! madvise(MADV_DONTNEED): content is dropped, mappings stay; refusals.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{__NR_madvise, MADV_DONTNEED, MADV_NORMAL, MADV_WILLNEED, O_RDONLY};
use tests::{
    Outcome, PRIVATE, READ_WRITE, anonymous, call, equal, fails, good, mmap, munmap, open, pattern, raw,
};

tests::program!(run);

fn madvise(addr: usize, len: usize, advice: u32) -> Result {
    call(__NR_madvise, [addr, len, advice as usize])
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(8 * page));
    for index in 0..8 {
        raw::poke(base + index * page, 1);
    }

    fails!(madvise(base + 1, page, MADV_DONTNEED), EINVAL);
    fails!(madvise(base, page, 4711), EINVAL);
    fails!(madvise(base, usize::MAX, MADV_DONTNEED), EINVAL);
    fails!(madvise(base, usize::MAX - 2 * page, MADV_DONTNEED), EINVAL);
    equal!(madvise(base, 0, MADV_DONTNEED), Ok(0));
    equal!(raw::peek(base), 1);

    // Zeroes again, and only there; the length is rounded up.
    equal!(madvise(base + 2 * page, page + 1, MADV_DONTNEED), Ok(0));
    for (index, byte) in [1, 1, 0, 0, 1, 1, 1, 1].into_iter().enumerate() {
        equal!(raw::peek(base + index * page), byte);
    }
    raw::poke(base + 2 * page, 5);
    equal!(raw::peek(base + 2 * page), 5);

    // A hole is an error, but what is mapped around it is dropped all the same.
    equal!(munmap(base + 5 * page, page), Ok(0));
    fails!(madvise(base + 4 * page, 3 * page, MADV_DONTNEED), ENOMEM);
    equal!((raw::peek(base + 4 * page), raw::peek(base + 6 * page)), (0, 0));
    equal!(raw::peek(base + 7 * page), 1);

    // A private file mapping shows the file again.
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let file = good!(mmap(0, 4 * page, READ_WRITE, PRIVATE, fd, 0));
    raw::poke(file + page, !pattern::byte(page));
    raw::poke(file + 2 * page, !pattern::byte(2 * page));
    equal!(madvise(file + page, page, MADV_DONTNEED), Ok(0));
    equal!(raw::peek(file + page), pattern::byte(page));
    equal!(raw::peek(file + 2 * page), !pattern::byte(2 * page));

    equal!(madvise(base, 4 * page, MADV_NORMAL), Ok(0));
    equal!(madvise(file, 4 * page, MADV_WILLNEED), Ok(0));
    Ok(())
}
