//! munmap: holes, splits, refusals.
#![no_std]
#![no_main]

use tests::{Outcome, anonymous, dies, equal, fails, good, munmap, raw};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(8 * page));
    for index in 0..8 {
        raw::poke(base + index * page, index as u8 + 1);
    }

    fails!(munmap(base + 1, page), EINVAL);
    fails!(munmap(base, 0), EINVAL);
    fails!(munmap(base, usize::MAX), EINVAL);
    fails!(munmap(usize::MAX & !(page - 1), page), EINVAL);
    fails!(munmap(0xffff_0000_0000_0000, page), EINVAL);
    fails!(munmap(base, 1 << 60), EINVAL);

    // Out of the middle, with a length that is rounded up.
    equal!(munmap(base + 2 * page, page + 1), Ok(0));
    dies!(SIGSEGV, raw::peek(base + 2 * page));
    dies!(SIGSEGV, raw::peek(base + 3 * page));
    for index in [0, 1, 4, 5, 6, 7] {
        equal!(raw::peek(base + index * page), index as u8 + 1);
    }

    // Holes don't matter, neither do mappings in several pieces.
    equal!(munmap(base + 2 * page, 2 * page), Ok(0));
    equal!(munmap(base + page, 5 * page), Ok(0));
    dies!(SIGSEGV, raw::poke(base + 5 * page, 0));
    equal!(raw::peek(base), 1);
    equal!(raw::peek(base + 6 * page), 7);

    // What is mapped there again is fresh.
    equal!(
        tests::mmap(base, 8 * page, tests::READ_WRITE, tests::ANONYMOUS | tests::FIXED, usize::MAX, 0),
        Ok(base)
    );
    for index in 0..8 {
        equal!(raw::peek(base + index * page), 0);
    }

    // Many, in an order that leaves holes everywhere.
    let many = good!(anonymous(512 * page));
    for index in 0..512 {
        raw::poke(many + index * page, 1);
    }
    for index in (0..512).step_by(2) {
        equal!(munmap(many + index * page, page), Ok(0));
    }
    for index in (1..512).step_by(2) {
        equal!(raw::peek(many + index * page), 1);
    }
    equal!(munmap(many, 512 * page), Ok(0));
    Ok(())
}
