//! The stack grows by itself, to its limit; a mapping below keeps its distance.
#![no_std]
#![no_main]

use rt::sys::raw::__NR_prlimit64;
use tests::{
    ANONYMOUS, FIXED, Outcome, READ_WRITE, call, check, dies, equal, fails, good, in_child, mmap, raw,
};

tests::program!(run);

const MIB: usize = 1 << 20;
/// Pages between the stack and what lies below it.
const GAP_PAGES: usize = 256;

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let limit = limit()?;
    check!(limit >= 2 * MIB, "the limit of the stack is {limit}");
    let sp = raw::stack_pointer() & !(page - 1);
    let depth = (limit / 2).min(4 * MIB);

    // One touch far below is enough, and what lies between is zero.
    in_child!(|| {
        raw::poke(sp - depth, 5);
        for addr in (sp - depth + page..sp - 16 * page).step_by(page) {
            equal!(raw::peek(addr), 0);
        }
        equal!(raw::peek(sp - depth), 5);
        Ok(())
    });
    // System calls may be the first to touch it.
    in_child!(|| {
        let zero = good!(tests::open(c"/dev/zero", 0));
        equal!(call(rt::sys::raw::__NR_read, [zero, sp - depth, 3 * page]), Ok(3 * page));
        Ok(())
    });

    if limit < 64 * MIB {
        dies!(SIGSEGV, raw::poke(sp - limit - MIB, 1));
        dies!(SIGSEGV, deeper(0));
    }

    // With an obstacle below, the stack stops 256 pages above it.
    let obstacle = sp - (depth + GAP_PAGES * page);
    let map_obstacle = || mmap(obstacle, page, READ_WRITE, ANONYMOUS | FIXED, usize::MAX, 0);
    in_child!(|| {
        equal!(map_obstacle(), Ok(obstacle));
        raw::poke(obstacle + (GAP_PAGES + 8) * page, 1);
        raw::poke(obstacle, 1);
        let zero = good!(tests::open(c"/dev/zero", 0));
        fails!(call(rt::sys::raw::__NR_read, [zero, obstacle + 8 * page, 8]), EFAULT);
        Ok(())
    });
    let touch_near = || {
        let _ = map_obstacle();
        raw::poke(obstacle + 8 * page, 1);
    };
    dies!(SIGSEGV, touch_near());

    // No mapping that the kernel places itself comes near.
    for _ in 0..20 {
        let mapped = good!(mmap(0, MIB, READ_WRITE, ANONYMOUS, usize::MAX, 0));
        check!(mapped > sp || mapped + MIB + GAP_PAGES * page + depth <= sp, "{mapped:#x} is near {sp:#x}");
    }
    Ok(())
}

/// Recursion without an end, with frames that can't be optimised away.
#[inline(never)]
fn deeper(level: usize) -> usize {
    let frame = core::hint::black_box([level; 64]);
    if level == usize::MAX { 0 } else { deeper(level + 1) + core::hint::black_box(&frame)[level % 64] }
}

fn limit() -> Result<usize, tests::Failure> {
    const RLIMIT_STACK: usize = 3;
    let mut limits = [0u64; 2];
    match call(__NR_prlimit64, [0, RLIMIT_STACK, 0, limits.as_mut_ptr() as usize]) {
        Ok(_) => Ok(limits[0].min(1 << 40) as usize),
        // Every Linux begins with this one.
        Err(tests::Errno::ENOSYS) => Ok(8 * MIB),
        Err(errno) => Err(tests::Failure::new(line!(), format_args!("prlimit64: {errno}"))),
    }
}
