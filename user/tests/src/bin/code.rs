//! Code that a program writes: the caches follow, also through fork and changes of protection.
#![no_std]
#![no_main]

use rt::sys::raw::PROT_EXEC;
use tests::{ANONYMOUS, Outcome, READ_EXEC, READ_WRITE, equal, good, in_child, mmap, mprotect, raw};

tests::program!(run);

const RETURN: u32 = 0xd65f_03c0;

/// `mov x0, #value`.
fn load(value: u16) -> u32 {
    0xd280_0000 | u32::from(value) << 5
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let all = READ_WRITE | PROT_EXEC as usize;
    let code = good!(mmap(0, page, all, ANONYMOUS, usize::MAX, 0));
    for value in 0..100 {
        raw::poke_instruction(code + 4, RETURN);
        raw::poke_instruction(code, load(value));
        equal!(raw::execute(code), u64::from(value));
    }

    // Written first, executable later; then the other way round.
    let code = good!(mmap(0, page, READ_WRITE, ANONYMOUS, usize::MAX, 0));
    for value in [3, 4] {
        good!(mprotect(code, page, READ_WRITE));
        raw::poke_instruction(code + 4, RETURN);
        raw::poke_instruction(code, load(value));
        good!(mprotect(code, page, READ_EXEC));
        equal!(raw::execute(code), u64::from(value));
    }

    // A copy on write is a new page with the same code.
    good!(mprotect(code, page, all));
    in_child!(|| {
        equal!(raw::execute(code), 4);
        raw::poke_instruction(code, load(5));
        equal!(raw::execute(code), 5);
        Ok(())
    });
    equal!(raw::execute(code), 4);
    raw::poke_instruction(code, load(6));
    equal!(raw::execute(code), 6);

    // Data of a file is code where it is mapped so: the program's own text, mapped again.
    let fd = good!(tests::open(c"/tests/data/exec-fixed", 0));
    let file = good!(mmap(0, page, READ_EXEC, tests::PRIVATE, fd, 0));
    equal!(raw::peek64(file) as u32, 0x464c_457f);
    Ok(())
}
