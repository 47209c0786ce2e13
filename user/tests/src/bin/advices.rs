//! madvise: populating, fork's advices, removing from files, reclaim's hints, and advices that there are not.
#![no_std]
#![no_main]

use rt::process::Ended;
use rt::sys::Result;
use rt::sys::raw::{
    __NR_madvise, __NR_memfd_create, __NR_mincore, __NR_mlock, MAP_ANONYMOUS, MAP_SHARED, O_RDONLY,
};
use tests::{
    ANONYMOUS, Outcome, PRIVATE, READ, READ_WRITE, anonymous, call, child, equal, fails, files, good, mmap,
    munmap, on_granule, open, pattern, raw,
};

tests::program!(run);

const REMOVE: usize = 9;
const MERGEABLE: usize = 12;
const DONTDUMP: usize = 16;
const DODUMP: usize = 17;
const WIPEONFORK: usize = 18;
const KEEPONFORK: usize = 19;
const COLD: usize = 20;
const PAGEOUT: usize = 21;
const POPULATE_READ: usize = 22;
const POPULATE_WRITE: usize = 23;
const DONTNEED_LOCKED: usize = 24;
const FREE: usize = 8;
const NO_FD: usize = usize::MAX;
const SHARED: usize = MAP_SHARED as usize;

fn madvise(addr: usize, len: usize, advice: usize) -> Result {
    call(__NR_madvise, [addr, len, advice])
}

fn present(addr: usize) -> bool {
    let mut byte = 0u8;
    call(__NR_mincore, [addr, 1, &raw mut byte as usize]).is_ok() && core::hint::black_box(byte) & 1 == 1
}

fn run(_: rt::Args) -> Outcome {
    populating()?;
    forking()?;
    removing()?;
    hints()
}

fn populating() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(8 * page));
    equal!(madvise(base + page, 2 * page - 1, POPULATE_WRITE), Ok(0));
    equal!([0, 1, 2, 3].map(|index| present(base + index * page)), [false, true, true, false]);
    equal!(madvise(base + 4 * page, page, POPULATE_READ), Ok(0));
    equal!(present(base + 4 * page), true);
    fails!(madvise(base + 1, page, POPULATE_READ), EINVAL);
    equal!(munmap(base + 6 * page, page), Ok(0));
    fails!(madvise(base, 8 * page, POPULATE_READ), ENOMEM);
    equal!(present(base + 5 * page), true);
    let readable = good!(mmap(0, page, READ, ANONYMOUS, NO_FD, 0));
    fails!(madvise(readable, page, POPULATE_WRITE), EINVAL);
    let none = good!(mmap(0, page, 0, ANONYMOUS, NO_FD, 0));
    fails!(madvise(none, page, POPULATE_READ), EINVAL);
    // Beyond the end of the file.
    let fd = good!(open(c"/tests/data/small", O_RDONLY));
    let file = good!(mmap(0, 2 * page, READ, PRIVATE, fd, 0));
    equal!(madvise(file, page, POPULATE_READ), Ok(0));
    fails!(madvise(file, 2 * page, POPULATE_READ), EFAULT);
    Ok(())
}

fn forking() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(4 * page));
    (0..4).for_each(|index| raw::poke(base + index * page, 9));
    equal!(madvise(base + page, 2 * page, WIPEONFORK), Ok(0));
    equal!(madvise(base + 2 * page, page, KEEPONFORK), Ok(0));
    let seen = child::run(|| {
        let seen = [0, 1, 2, 3].map(|index| raw::peek(base + index * page));
        // It is wiped again in a grandchild.
        raw::poke(base + page, 5);
        let below = child::run(|| raw::peek(base + page).into());
        i32::from(seen == [9, 0, 9, 9] && below == Ok(Ended::Exited(0)) && raw::peek(base + page) == 5)
    });
    equal!(seen, Ok(Ended::Exited(1)));
    equal!(raw::peek(base + page), 9);
    let shared = good!(mmap(0, page, READ_WRITE, SHARED | MAP_ANONYMOUS as usize, NO_FD, 0));
    fails!(madvise(shared, page, WIPEONFORK), EINVAL);
    Ok(())
}

fn removing() -> Outcome {
    let page = rt::page_size();
    let fd = good!(call(__NR_memfd_create, [c"hole".as_ptr() as usize, 0]));
    equal!(files::ftruncate(fd, 8 * page), Ok(0));
    let memory = good!(mmap(0, 8 * page, READ_WRITE, SHARED, fd, 0));
    (0..8).for_each(|index| raw::poke(memory + index * page, 3));
    equal!(madvise(memory + 2 * page, 3 * page, REMOVE), Ok(0));
    let seen = [1, 2, 3, 4, 5].map(|index| raw::peek(memory + index * page));
    equal!(seen, [3, 0, 0, 0, 3]);
    let mut byte = [1u8];
    equal!(tests::pread(fd, &mut byte, 3 * page), Ok(1));
    equal!(byte, [0]);
    equal!(good!(files::fstat(fd)).size as usize, 8 * page);

    let private = good!(mmap(0, page, READ_WRITE, PRIVATE, fd, 0));
    fails!(madvise(private, page, REMOVE), EACCES);
    let anonymous = good!(anonymous(page));
    fails!(madvise(anonymous, page, REMOVE), EINVAL);
    equal!(call(__NR_mlock, [memory, page]), Ok(0));
    fails!(madvise(memory, page, REMOVE), EINVAL);
    Ok(())
}

fn hints() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(4 * page));
    raw::poke(base, 1);
    for advice in [COLD, PAGEOUT, DONTDUMP, DODUMP] {
        equal!(madvise(base, 4 * page, advice), Ok(0));
        equal!(raw::peek(base), 1);
    }
    equal!(call(__NR_mlock, [base, page]), Ok(0));
    for advice in [COLD, PAGEOUT, FREE] {
        fails!(madvise(base, page, advice), EINVAL);
    }
    equal!(madvise(base, page, DONTNEED_LOCKED), Ok(0));
    equal!(raw::peek(base), 0);
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let file = good!(mmap(0, page, READ, PRIVATE, fd, 0));
    fails!(madvise(file, page, FREE), EINVAL);
    if on_granule() {
        // Pages are not merged here.
        fails!(madvise(base, page, MERGEABLE), EINVAL);
    }
    fails!(madvise(base, page, 99), EINVAL);
    Ok(())
}
