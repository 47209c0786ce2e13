//! mlock, mlock2, munlock, mlockall, MAP_LOCKED: rounding, limits, holes, and that locked pages are there.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{
    __NR_mincore, __NR_mlock, __NR_mlock2, __NR_mlockall, __NR_munlock, __NR_munlockall, __NR_prlimit64,
    __NR_setuid, MAP_LOCKED, MAP_POPULATE, RLIMIT_MEMLOCK,
};
use tests::{
    ANONYMOUS, Outcome, READ, READ_WRITE, anonymous, call, equal, fails, good, in_child, mmap, munmap, raw,
};

tests::program!(run);

const CURRENT: usize = 1;
const FUTURE: usize = 2;
const ONFAULT: usize = 4;
const NO_FD: usize = usize::MAX;
const DONTNEED: usize = 4;

fn mlock(addr: usize, len: usize) -> Result {
    call(__NR_mlock, [addr, len])
}

fn munlock(addr: usize, len: usize) -> Result {
    call(__NR_munlock, [addr, len])
}

fn mlockall(flags: usize) -> Result {
    call(__NR_mlockall, [flags])
}

fn present(addr: usize) -> bool {
    let mut byte = 0u8;
    call(__NR_mincore, [addr, 1, &raw mut byte as usize]).is_ok() && core::hint::black_box(byte) & 1 == 1
}

fn limit(bytes: usize) -> Result {
    let limits = [bytes, bytes];
    call(__NR_prlimit64, [0, RLIMIT_MEMLOCK as usize, limits.as_ptr() as usize, 0])
}

fn run(_: rt::Args) -> Outcome {
    ranges()?;
    in_child!(all);
    in_child!(unprivileged);
    in_child!(without_any_limit);
    Ok(())
}

fn ranges() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(8 * page));
    // Within pages, at both ends: the pages that it touches.
    equal!(mlock(base + page + 1, page), Ok(0));
    equal!([0, 1, 2].map(|index| present(base + index * page)), [false, true, true]);
    equal!(munlock(base + page + 1, page), Ok(0));
    equal!(mlock(base, 0), Ok(0));
    equal!(mlock(base, usize::MAX), Ok(0));
    fails!(mlock(base, usize::MAX - 2 * page), EINVAL);
    fails!(munlock(base, usize::MAX - 2 * page), EINVAL);
    fails!(call(__NR_mlock2, [base, page, 2]), EINVAL);
    equal!(call(__NR_mlock2, [base + 4 * page, page, 1]), Ok(0));
    equal!(present(base + 4 * page), false);
    equal!(munlock(base, 8 * page), Ok(0));

    // A hole: what lies below it is locked, which DONTNEED respects.
    equal!(munmap(base + 3 * page, page), Ok(0));
    fails!(mlock(base, 5 * page), ENOMEM);
    fails!(mlock(base + 3 * page, page), ENOMEM);
    fails!(call(rt::sys::raw::__NR_madvise, [base, page, DONTNEED]), EINVAL);
    equal!(munlock(base, 3 * page), Ok(0));
    equal!(call(rt::sys::raw::__NR_madvise, [base, page, DONTNEED]), Ok(0));
    fails!(munlock(base, 5 * page), ENOMEM);
    // Memory that nobody may touch cannot be brought in.
    let none = good!(mmap(0, page, 0, ANONYMOUS, NO_FD, 0));
    fails!(mlock(none, page), ENOMEM);

    let locked = good!(mmap(0, 4 * page, READ_WRITE, ANONYMOUS | MAP_LOCKED as usize, NO_FD, 0));
    equal!(present(locked + 3 * page), true);
    let populated = good!(mmap(0, 4 * page, READ, ANONYMOUS | MAP_POPULATE as usize, NO_FD, 0));
    equal!(present(populated + 3 * page), true);
    equal!(munmap(locked, 4 * page), Ok(0));
    Ok(())
}

fn all() -> Outcome {
    let page = rt::page_size();
    for flags in [0, 8, ONFAULT, 16 | CURRENT] {
        fails!(mlockall(flags), EINVAL);
    }
    let before = good!(anonymous(4 * page));
    equal!(mlockall(CURRENT), Ok(0));
    equal!(present(before + 2 * page), true);
    let after = good!(anonymous(4 * page));
    equal!(present(after), false);
    equal!(mlockall(FUTURE | ONFAULT), Ok(0));
    let later = good!(anonymous(4 * page));
    equal!(present(later), false);
    equal!(mlockall(FUTURE), Ok(0));
    let future = good!(anonymous(4 * page));
    equal!(present(future + 3 * page), true);
    equal!(call(__NR_munlockall, []), Ok(0));
    let last = good!(anonymous(page));
    equal!(present(last), false);
    Ok(())
}

fn unprivileged() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(16 * page));
    equal!(limit(4 * page), Ok(0));
    equal!(call(__NR_setuid, [1000]), Ok(0));
    equal!(mlock(base, 4 * page), Ok(0));
    // Again what is locked already costs nothing.
    equal!(mlock(base + page, 3 * page), Ok(0));
    fails!(mlock(base + 4 * page, page), ENOMEM);
    fails!(mlock(base, 5 * page), ENOMEM);
    fails!(mmap(0, page, READ, ANONYMOUS | MAP_LOCKED as usize, NO_FD, 0), EAGAIN);
    fails!(mlockall(CURRENT), ENOMEM);
    equal!(munlock(base + page, page), Ok(0));
    equal!(mlock(base + 8 * page, 1), Ok(0));
    equal!(call(__NR_munlockall, []), Ok(0));
    equal!(mlockall(FUTURE), Ok(0));
    fails!(anonymous(5 * page), EAGAIN);
    equal!(anonymous(4 * page).is_ok(), true);
    raw::poke(base, 1);
    Ok(())
}

fn without_any_limit() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(page));
    equal!(limit(0), Ok(0));
    equal!(mlock(base, page), Ok(0));
    equal!(call(__NR_setuid, [1000]), Ok(0));
    fails!(mlock(base, page), EPERM);
    fails!(mlock(base, usize::MAX - 2 * page), EPERM);
    fails!(mlockall(CURRENT), EPERM);
    fails!(mmap(0, page, READ, ANONYMOUS | MAP_LOCKED as usize, NO_FD, 0), EPERM);
    equal!(munlock(base, page), Ok(0));
    Ok(())
}
