//! brk: exact values, zeroes, growing and shrinking, refusals.
#![no_std]
#![no_main]

use rt::sys::raw::__NR_brk;
use tests::{Outcome, call, check, dies, equal, good, raw};

tests::program!(run);

fn brk(to: usize) -> usize {
    call(__NR_brk, [to]).unwrap_or(0)
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let start = brk(0);
    check!(start != 0);
    equal!(brk(start), start);

    // The value asked for is the value, whatever a page is.
    equal!(brk(start + 100), start + 100);
    equal!(brk(0), start + 100);
    raw::poke(start, 7);
    raw::poke(start + 99, 8);

    let end = start + 20 * page + 1;
    equal!(brk(end), end);
    equal!(raw::peek(start + 99), 8);
    for addr in (start + 100..end).step_by(64) {
        equal!(raw::peek(addr), 0);
        raw::poke(addr, 9);
    }

    // What was given back comes back as zeroes; what stayed, stays.
    equal!(brk(start + 100), start + 100);
    dies!(SIGSEGV, raw::peek(start + 5 * page));
    equal!(brk(end), end);
    equal!(raw::peek(start), 7);
    let first_fresh = (start + 100).next_multiple_of(page);
    for addr in (first_fresh..end).step_by(64) {
        equal!(raw::peek(addr), 0);
    }

    // Refusals leave everything as it was and return where the break is.
    equal!(brk(1), end);
    equal!(brk(start - 1), end);
    equal!(brk(usize::MAX), end);
    equal!(brk(1 << 47), end);
    equal!(brk(0xffff_0000_0000_0000), end);

    // A mapping in the way stops it.
    let obstacle = end.next_multiple_of(page) + 16 * page;
    good!(tests::mmap(obstacle, page, tests::READ_WRITE, tests::ANONYMOUS | tests::FIXED, usize::MAX, 0));
    equal!(brk(obstacle + 1), end);
    equal!(brk(start), start);
    Ok(())
}
