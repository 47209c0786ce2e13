//! mmap: where mappings go and what is in them.
#![no_std]
#![no_main]

use rt::sys::raw::{MAP_FIXED_NOREPLACE, MAP_POPULATE, O_RDONLY};
use tests::{
    ANONYMOUS, FIXED, Outcome, PRIVATE, READ, READ_WRITE, check, dies, equal, good, mmap, munmap, open,
    pattern, raw,
};

tests::program!(run);

const NO_FD: usize = usize::MAX;

fn run(_: rt::Args) -> Outcome {
    places()?;
    over_existing()?;
    contents()
}

fn places() -> Outcome {
    let page = rt::page_size();
    let first = good!(mmap(0, 3 * page, READ_WRITE, ANONYMOUS, NO_FD, 0));
    let second = good!(mmap(0, page, READ_WRITE, ANONYMOUS, NO_FD, 0));
    check!(first.is_multiple_of(page) && second.is_multiple_of(page));
    check!(second + page <= first || second >= first + 3 * page, "{second:#x} lies in {first:#x}");

    // A hint is taken when the place is free, page by page; else the kernel looks elsewhere.
    good!(munmap(first, 3 * page));
    equal!(mmap(first + page + 5, page, READ_WRITE, ANONYMOUS, NO_FD, 0), Ok(first + page));
    let elsewhere = good!(mmap(first, 3 * page, READ_WRITE, ANONYMOUS, NO_FD, 0));
    check!(elsewhere + 3 * page <= first + page || elsewhere >= first + 2 * page);

    // An address of the kernel's half is no hint at all.
    good!(mmap(0xffff_0000_0000_0000, page, READ_WRITE, ANONYMOUS, NO_FD, 0));

    // NOREPLACE is exact when free.
    good!(munmap(first + page, page));
    equal!(
        mmap(first + page, page, READ, ANONYMOUS | MAP_FIXED_NOREPLACE as usize, NO_FD, 0),
        Ok(first + page)
    );
    Ok(())
}

fn over_existing() -> Outcome {
    let page = rt::page_size();
    let base = good!(mmap(0, 5 * page, READ_WRITE, ANONYMOUS, NO_FD, 0));
    for index in 0..5 {
        raw::poke(base + index * page, index as u8 + 1);
    }
    // The middle is replaced: its content is gone, its neighbours are not.
    equal!(mmap(base + page, 2 * page, READ, ANONYMOUS | FIXED, NO_FD, 0), Ok(base + page));
    for (index, byte) in [1, 0, 0, 4, 5].into_iter().enumerate() {
        equal!(raw::peek(base + index * page), byte);
    }
    dies!(SIGSEGV, raw::poke(base + 2 * page, 1));
    raw::poke(base + 3 * page, 1);

    let none = good!(mmap(0, page, 0, ANONYMOUS, NO_FD, 0));
    dies!(SIGSEGV, raw::peek(none));
    dies!(SIGSEGV, raw::poke(none, 1));
    Ok(())
}

fn contents() -> Outcome {
    let page = rt::page_size();
    let anonymous = good!(mmap(0, 64 * page, READ_WRITE, ANONYMOUS | MAP_POPULATE as usize, NO_FD, 0));
    check!(raw::bytes(anonymous, 64 * page).iter().all(|&byte| byte == 0));

    // A length that is no whole page is mapped to the end of its page.
    let short = good!(mmap(0, page + 1, READ_WRITE, ANONYMOUS, NO_FD, 0));
    equal!(raw::peek(short + 2 * page - 1), 0);

    // A file from its middle; and its mapping outlives the descriptor.
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let file = good!(mmap(0, 3 * page, READ, PRIVATE, fd, 2 * page));
    good!(tests::close(fd));
    equal!(pattern::difference(raw::bytes(file, 3 * page), 2 * page), None);

    // /dev/zero gives anonymous memory.
    let zero = good!(open(c"/dev/zero", rt::sys::raw::O_RDWR));
    let mapped = good!(mmap(0, 2 * page, READ_WRITE, PRIVATE, zero, 0));
    equal!(raw::peek(mapped + page), 0);
    raw::poke(mapped + page, 3);
    equal!(raw::peek(mapped + page), 3);
    Ok(())
}
