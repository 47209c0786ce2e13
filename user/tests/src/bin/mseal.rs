//! mseal: what a sealed area refuses; remap_file_pages and protection keys, which are as seldom used.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{
    __NR_madvise, __NR_memfd_create, __NR_mremap, __NR_mseal, __NR_pkey_alloc, __NR_pkey_free,
    __NR_pkey_mprotect, __NR_remap_file_pages, MAP_SHARED,
};
use tests::{
    ANONYMOUS, Errno, FIXED, Outcome, READ, READ_WRITE, anonymous, call, equal, fails, files, good, mmap,
    mprotect, munmap, on_granule, raw,
};

tests::program!(run);

const DONTNEED: usize = 4;

fn mseal(addr: usize, len: usize, flags: usize) -> Result {
    call(__NR_mseal, [addr, len, flags])
}

fn run(_: rt::Args) -> Outcome {
    seals()?;
    file_pages()?;
    keys()
}

fn seals() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(8 * page));
    if !on_granule() && mseal(base, 0, 0) == Err(Errno::ENOSYS) {
        return Ok(());
    }
    fails!(mseal(base, page, 1), EINVAL);
    fails!(mseal(base + 1, page, 0), EINVAL);
    fails!(mseal(base, usize::MAX, 0), EINVAL);
    fails!(mseal(base, usize::MAX - 2 * page, 0), EINVAL);
    equal!(mseal(base, 0, 0), Ok(0));
    equal!(munmap(base + 6 * page, page), Ok(0));
    fails!(mseal(base + 5 * page, 2 * page, 0), ENOMEM);
    raw::poke(base + 2 * page, 1);
    equal!(mprotect(base + 3 * page, page, READ), Ok(0));
    equal!(mseal(base + 2 * page, 2 * page, 0), Ok(0));
    equal!(mseal(base + 2 * page, 2 * page, 0), Ok(0));

    fails!(munmap(base + 2 * page, page), EPERM);
    fails!(munmap(base, 4 * page), EPERM);
    fails!(mprotect(base + 2 * page, page, READ), EPERM);
    fails!(mmap(base + 3 * page, page, READ, ANONYMOUS | FIXED, usize::MAX, 0), EPERM);
    fails!(call(__NR_mremap, [base + 2 * page, page, 2 * page, 1, 0]), EPERM);
    fails!(call(__NR_mremap, [base, page, page, 3, base + 2 * page]), EPERM);
    // What can be written may be forgotten, as the program could write zeros.
    equal!(call(__NR_madvise, [base + 2 * page, page, DONTNEED]), Ok(0));
    fails!(call(__NR_madvise, [base + 3 * page, page, DONTNEED]), EPERM);
    equal!(munmap(base, 2 * page), Ok(0));
    Ok(())
}

fn file_pages() -> Outcome {
    let page = rt::page_size();
    let fd = good!(call(__NR_memfd_create, [c"pages".as_ptr() as usize, 0]));
    equal!(files::ftruncate(fd, 8 * page), Ok(0));
    let memory = good!(mmap(0, 8 * page, READ_WRITE, MAP_SHARED as usize, fd, 0));
    (0..8).for_each(|index| raw::poke(memory + index * page, index as u8));
    let remap = |addr, len, prot, pgoff| call(__NR_remap_file_pages, [addr, len, prot, pgoff, 0]);
    // Rounded down at both ends; the offset counts pages of the process.
    equal!(remap(memory + 1, 2 * page + 1, 0, 5), Ok(0));
    equal!([0, 1, 2].map(|index| raw::peek(memory + index * page)), [5, 6, 2]);
    fails!(remap(memory, page, READ, 0), EINVAL);
    fails!(remap(memory, page - 1, 0, 0), EINVAL);
    fails!(remap(memory, usize::MAX, 0, 0), EINVAL);
    fails!(remap(memory + 7 * page, 2 * page, 0, 0), EINVAL);
    let private = good!(anonymous(page));
    fails!(remap(private, page, 0, 0), EINVAL);
    Ok(())
}

fn keys() -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(page));
    let protect = |key: usize| call(__NR_pkey_mprotect, [base, page, READ, key]);
    if !on_granule() && protect(usize::MAX) == Err(Errno::ENOSYS) {
        return Ok(());
    }
    equal!(protect(usize::MAX), Ok(0));
    fails!(protect(77), EINVAL);
    fails!(call(__NR_pkey_alloc, [1, 0]), EINVAL);
    fails!(call(__NR_pkey_alloc, [0, 1 << 20]), EINVAL);
    fails!(call(__NR_pkey_free, [77]), EINVAL);
    if on_granule() {
        fails!(call(__NR_pkey_alloc, [0, 0]), ENOSPC);
    }
    Ok(())
}
