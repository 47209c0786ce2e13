//! mprotect: rights taken, given back, refused.
#![no_std]
#![no_main]

use rt::sys::raw::{O_RDONLY, PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP};
use tests::{
    Outcome, PRIVATE, READ, READ_WRITE, anonymous, dies, equal, fails, good, mmap, mprotect, munmap, open,
    pattern, raw,
};

tests::program!(run);

const NONE: usize = 0;

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(8 * page));
    for index in 0..6 {
        raw::poke(base + index * page, index as u8 + 1);
    }

    fails!(mprotect(base + 1, page, READ), EINVAL);
    fails!(mprotect(base, page, 1 << 20), EINVAL);
    fails!(mprotect(base, page, READ | (PROT_GROWSDOWN | PROT_GROWSUP) as usize), EINVAL);
    fails!(mprotect(base, usize::MAX - page, READ), ENOMEM);
    fails!(mprotect(0xffff_0000_0000_0000, page, READ), ENOMEM);
    equal!(mprotect(base, 0, NONE), Ok(0));
    raw::poke(base, 1);

    // Taken from the middle only, touched or not.
    equal!(mprotect(base + 2 * page, 2 * page, READ), Ok(0));
    equal!(mprotect(base + 4 * page, 3 * page, NONE), Ok(0));
    raw::poke(base + page, 2);
    equal!(raw::peek(base + 2 * page), 3);
    dies!(SIGSEGV, raw::poke(base + 2 * page, 1));
    dies!(SIGSEGV, raw::poke(base + 3 * page, 1));
    dies!(SIGSEGV, raw::peek(base + 4 * page));
    dies!(SIGSEGV, raw::poke(base + 6 * page, 1));
    raw::poke(base + 7 * page, 8);

    // Given back, with what was there.
    equal!(mprotect(base, 8 * page, READ_WRITE), Ok(0));
    for index in [0, 1, 2, 3, 4, 5, 7] {
        equal!(raw::peek(base + index * page), index as u8 + 1);
        raw::poke(base + index * page, 9);
    }

    // Writable without readable is readable too: the hardware has nothing else.
    equal!(mprotect(base, page, rt::sys::raw::PROT_WRITE as usize), Ok(0));
    equal!(raw::peek(base), 9);

    // Data is not code unless one says so.
    const RETURN: u32 = 0xd65f_03c0;
    raw::poke_instruction(base, RETURN);
    dies!(SIGSEGV, raw::execute(base));
    equal!(mprotect(base, page, READ | PROT_EXEC as usize), Ok(0));
    raw::execute(base);
    dies!(SIGSEGV, raw::poke(base, 1));

    // A hole is an error, behind which nothing changes, but before it something did.
    equal!(munmap(base + 3 * page, page), Ok(0));
    fails!(mprotect(base + 2 * page, 3 * page, READ), ENOMEM);
    dies!(SIGSEGV, raw::poke(base + 2 * page, 1));
    raw::poke(base + 4 * page, 1);

    // A private file mapping may become writable though the file may not.
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let file = good!(mmap(0, 2 * page, READ, PRIVATE, fd, 0));
    equal!(raw::peek(file), pattern::byte(0));
    equal!(mprotect(file, 2 * page, READ_WRITE), Ok(0));
    raw::poke(file, 1);
    raw::poke(file + page, 2);
    equal!(raw::peek(file + 1), pattern::byte(1));
    equal!(mprotect(file, 2 * page, READ), Ok(0));
    equal!((raw::peek(file), raw::peek(file + page)), (1, 2));
    dies!(SIGSEGV, raw::poke(file, 1));
    Ok(())
}
