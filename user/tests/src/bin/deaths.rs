//! What a program does wrong kills it, by the right signal, and nothing else.
#![no_std]
#![no_main]

use tests::{Outcome, anonymous, dies, good, raw};

tests::program!(run);

const KERNEL: usize = 0xffff_0000_0000_0000;
/// Neither half: no page table knows such an address.
const BETWEEN: usize = 0x8000_0000_0000_0000;

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let data = good!(anonymous(page));
    let hole = good!(anonymous(page));
    good!(tests::munmap(hole, page));

    for addr in [0, 8, hole, BETWEEN, KERNEL, KERNEL + 0x8000_8000_0000, KERNEL + 0x4000_0000, usize::MAX - 7]
    {
        dies!(SIGSEGV, raw::peek(addr), "a read at {addr:#x}");
        dies!(SIGSEGV, raw::poke(addr, 1), "a write at {addr:#x}");
        dies!(SIGSEGV, raw::execute(addr & !3), "a jump to {addr:#x}");
    }
    raw::poke(data, 1);
    dies!(SIGSEGV, raw::execute(data));
    dies!(SIGSEGV, raw::execute(raw::stack_pointer() & !15));
    dies!(SIGSEGV, raw::zero_block(hole));
    dies!(SIGSEGV, raw::zero_block(KERNEL));

    dies!(SIGILL, raw::illegal_instruction());
    dies!(SIGILL, raw::privileged_register());
    dies!(SIGILL, raw::privileged_instruction());
    dies!(SIGILL, raw::hypervisor_call());
    dies!(SIGTRAP, raw::breakpoint());

    let code = run as fn(rt::Args) -> Outcome as usize;
    dies!(SIGBUS, raw::execute(code + 2));
    Ok(())
}
