//! msync: what it refuses, in its order, and that shared memory survives it.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{__NR_mlock, __NR_msync, MAP_ANONYMOUS, MAP_SHARED};
use tests::{Outcome, READ_WRITE, call, equal, fails, good, mmap, munmap, raw};

tests::program!(run);

const ASYNC: usize = 1;
const INVALIDATE: usize = 2;
const SYNC: usize = 4;

fn msync(addr: usize, len: usize, flags: usize) -> Result {
    call(__NR_msync, [addr, len, flags])
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let shared = (MAP_SHARED | MAP_ANONYMOUS) as usize;
    let base = good!(mmap(0, 8 * page, READ_WRITE, shared, usize::MAX, 0));
    raw::poke(base, 5);
    for flags in [0, ASYNC, INVALIDATE, SYNC, SYNC | INVALIDATE, ASYNC | INVALIDATE] {
        equal!(msync(base, 8 * page, flags), Ok(0));
    }
    equal!(raw::peek(base), 5);
    fails!(msync(base, page, SYNC | ASYNC), EINVAL);
    fails!(msync(base, page, 8), EINVAL);
    fails!(msync(base + 1, page, SYNC), EINVAL);
    fails!(msync(base + page / 2, 0, SYNC), EINVAL);
    // Nothing, also where nothing is; and lengths that wrap.
    equal!(msync(base, 0, SYNC), Ok(0));
    equal!(msync(16 * page, 0, SYNC), Ok(0));
    equal!(msync(base, usize::MAX, SYNC), Ok(0));
    fails!(msync(base, usize::MAX - 2 * page, SYNC), ENOMEM);
    equal!(msync(base, 7 * page + 1, SYNC), Ok(0));

    equal!(munmap(base + 2 * page, page), Ok(0));
    fails!(msync(base, 4 * page, SYNC), ENOMEM);
    fails!(msync(base, 4 * page, ASYNC), ENOMEM);
    fails!(msync(base + 2 * page, page, SYNC), ENOMEM);
    equal!(msync(base + 3 * page, 5 * page, SYNC), Ok(0));

    equal!(call(__NR_mlock, [base + 4 * page, page]), Ok(0));
    fails!(msync(base + 3 * page, 3 * page, SYNC | INVALIDATE), EBUSY);
    equal!(msync(base + 3 * page, 3 * page, SYNC), Ok(0));
    Ok(())
}
