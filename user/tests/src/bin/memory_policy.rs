//! set_mempolicy, get_mempolicy, mbind on a machine with one node.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{__NR_get_mempolicy, __NR_mbind, __NR_set_mempolicy};
use tests::{Errno, Outcome, anonymous, call, equal, fails, good, munmap, on_granule};

tests::program!(run);

const DEFAULT: usize = 0;
const PREFERRED: usize = 1;
const BIND: usize = 2;
const INTERLEAVE: usize = 3;
const ADDR: usize = 2;
const MEMS_ALLOWED: usize = 4;

fn set(mode: usize, nodes: u64) -> Result {
    call(__NR_set_mempolicy, [mode, &raw const nodes as usize, 64])
}

fn get(flags: usize, addr: usize) -> core::result::Result<(u32, u64), Errno> {
    let (mut mode, mut nodes) = (99u32, 99u64);
    call(__NR_get_mempolicy, [&raw mut mode as usize, &raw mut nodes as usize, 64, addr, flags])?;
    Ok(core::hint::black_box((mode, nodes)))
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    if !on_granule() && set(DEFAULT, 0) == Err(Errno::ENOSYS) {
        return Ok(());
    }
    equal!(get(0, 0), Ok((0, 0)));
    equal!(get(MEMS_ALLOWED, 0).map(|(_, nodes)| nodes), Ok(1));
    equal!(set(BIND, 1), Ok(0));
    equal!(get(0, 0), Ok((BIND as u32, 1)));
    equal!(set(PREFERRED, 1), Ok(0));
    equal!(get(0, 0), Ok((PREFERRED as u32, 1)));
    fails!(set(BIND, 0), EINVAL);
    fails!(set(INTERLEAVE, 2), EINVAL);
    fails!(set(DEFAULT, 1), EINVAL);
    fails!(set(1000, 1), EINVAL);
    fails!(call(__NR_set_mempolicy, [BIND, 16, 64]), EFAULT);
    equal!(set(DEFAULT, 0), Ok(0));

    let base = good!(anonymous(4 * page));
    let bind = |addr: usize, len: usize, mode: usize, nodes: u64, flags: usize| {
        call(__NR_mbind, [addr, len, mode, &raw const nodes as usize, 64, flags])
    };
    equal!(bind(base, 4 * page, BIND, 1, 0), Ok(0));
    equal!(bind(base, 0, BIND, 1, 0), Ok(0));
    fails!(bind(base + 1, page, BIND, 1, 0), EINVAL);
    fails!(bind(base, page, BIND, 2, 0), EINVAL);
    fails!(bind(base, page, BIND, 1, 128), EINVAL);
    fails!(bind(base, page, 1000, 1, 0), EINVAL);
    equal!(munmap(base + page, page), Ok(0));
    fails!(bind(base, 4 * page, BIND, 1, 0), EFAULT);
    fails!(get(0, base), EINVAL);
    fails!(get(ADDR, base + page), EFAULT);
    fails!(get(ADDR | MEMS_ALLOWED, base), EINVAL);
    fails!(get(64, 0), EINVAL);
    Ok(())
}
