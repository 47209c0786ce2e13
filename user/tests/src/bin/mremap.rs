//! mremap: growing, shrinking, moving, refusals.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{__NR_mremap, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, O_RDONLY};
use tests::{
    Outcome, PRIVATE, READ, anonymous, call, check, dies, equal, fails, good, mmap, munmap, open, pattern,
    raw,
};

tests::program!(run);

const MAY_MOVE: usize = MREMAP_MAYMOVE as usize;
const FIXED: usize = (MREMAP_MAYMOVE | MREMAP_FIXED) as usize;

fn mremap(old: usize, old_len: usize, new_len: usize, flags: usize, new: usize) -> Result {
    call(__NR_mremap, [old, old_len, new_len, flags, new])
}

fn run(_: rt::Args) -> Outcome {
    refusals()?;
    in_place()?;
    moves()
}

fn refusals() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(4 * page));
    let target = good!(anonymous(8 * page));
    fails!(mremap(base + 1, page, page, MAY_MOVE, 0), EINVAL);
    fails!(mremap(base, page, 0, MAY_MOVE, 0), EINVAL);
    fails!(mremap(base, page, page, 64, 0), EINVAL);
    fails!(mremap(base, page, page, MREMAP_FIXED as usize, target), EINVAL);
    fails!(mremap(base, page, page, MREMAP_DONTUNMAP as usize, 0), EINVAL);
    fails!(mremap(base, page, page, FIXED, target + 1), EINVAL);
    fails!(mremap(base, 2 * page, 2 * page, FIXED, base + page), EINVAL);
    fails!(mremap(base, page, page, FIXED, 0xffff_0000_0000_0000), EINVAL);
    fails!(mremap(base, page, usize::MAX, MAY_MOVE, 0), EINVAL);

    let hole = target + 4 * page;
    equal!(munmap(hole, page), Ok(0));
    fails!(mremap(hole, page, 2 * page, MAY_MOVE, 0), EFAULT);
    // More than the mapping has.
    fails!(mremap(target, 6 * page, 9 * page, MAY_MOVE, 0), EFAULT);
    // No room, and not allowed to look for it.
    fails!(mremap(target + 5 * page, 3 * page, 1 << 41, 0, 0), ENOMEM);
    Ok(())
}

fn in_place() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(8 * page));
    raw::poke(base, 1);
    raw::poke(base + 7 * page, 8);
    equal!(mremap(base, 8 * page, 4 * page, 0, 0), Ok(base));
    dies!(SIGSEGV, raw::peek(base + 4 * page));
    equal!(raw::peek(base), 1);

    // What was cut off is free, so there is room; it comes back empty.
    equal!(mremap(base, 4 * page, 8 * page, 0, 0), Ok(base));
    equal!(raw::peek(base + 7 * page), 0);
    equal!(raw::peek(base), 1);
    equal!(mremap(base, 8 * page, 8 * page, 0, 0), Ok(base));
    Ok(())
}

fn moves() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(16 * page));
    for index in 0..16 {
        raw::poke(base + index * page, index as u8 + 1);
    }
    // The middle can't grow where it is: it goes away with its content, and leaves a hole.
    fails!(mremap(base + 4 * page, 4 * page, 8 * page, 0, 0), ENOMEM);
    let moved = good!(mremap(base + 4 * page, 4 * page, 8 * page, MAY_MOVE, 0));
    check!(moved.is_multiple_of(page) && (moved + 8 * page <= base || moved >= base + 16 * page));
    for index in 0..8 {
        equal!(raw::peek(moved + index * page), if index < 4 { index as u8 + 5 } else { 0 });
    }
    dies!(SIGSEGV, raw::peek(base + 4 * page));
    equal!(raw::peek(base + 8 * page), 9);

    // To a given place, over what is there, and shorter.
    let target = good!(anonymous(4 * page));
    raw::poke(target, 99);
    raw::poke(target + 3 * page, 98);
    equal!(mremap(moved, 8 * page, 2 * page, FIXED, target), Ok(target));
    equal!((raw::peek(target), raw::peek(target + page)), (5, 6));
    equal!(raw::peek(target + 3 * page), 98);
    dies!(SIGSEGV, raw::peek(moved + 5 * page));

    // A file mapping keeps its place in the file, also for pages not yet touched.
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let file = good!(mmap(0, 4 * page, READ, PRIVATE, fd, page));
    equal!(raw::peek(file), pattern::byte(page));
    let moved = good!(mremap(file, 2 * page, 40 * page, MAY_MOVE, 0));
    equal!(pattern::difference(raw::bytes(moved, 40 * page), page), None);

    // A large one, at an odd distance from any table.
    let large = good!(anonymous(1024 * page));
    for index in 0..1024 {
        raw::poke64(large + index * page, index as u64);
    }
    let moved = good!(mremap(large, 1024 * page, 1500 * page, MAY_MOVE, 0));
    for index in 0..1024 {
        equal!(raw::peek64(moved + index * page), index as u64);
    }
    equal!(raw::peek64(moved + 1499 * page), 0);
    Ok(())
}
