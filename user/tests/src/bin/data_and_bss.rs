//! The program's own image: data from the file, bss zero, text not writable, data not executable.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tests::{Outcome, call, dies, equal, in_child, raw};

tests::program!(run);

const WORDS: usize = 100_000;
static BSS: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];
static DATA: [AtomicU64; 1000] = [const { AtomicU64::new(0x0123_4567_89ab_cdef) }; 1000];
static CONSTANT: &[u8; 16] = b"constant content";

fn run(_: rt::Args) -> Outcome {
    for word in &BSS {
        equal!(word.load(Relaxed), 0);
    }
    for word in &DATA {
        equal!(word.load(Relaxed), 0x0123_4567_89ab_cdef);
    }
    for (index, word) in BSS.iter().chain(&DATA).enumerate() {
        word.store(index as u64, Relaxed);
    }
    in_child!(|| {
        for (index, word) in BSS.iter().chain(&DATA).enumerate() {
            equal!(word.load(Relaxed), index as u64);
            word.store(1, Relaxed);
        }
        Ok(())
    });
    for (index, word) in BSS.iter().chain(&DATA).enumerate() {
        equal!(word.load(Relaxed), index as u64);
    }

    let code = run as fn(rt::Args) -> Outcome as usize;
    dies!(SIGSEGV, raw::poke(code, 0));
    dies!(SIGSEGV, raw::poke(CONSTANT.as_ptr() as usize, 0));
    dies!(SIGSEGV, raw::execute(DATA.as_ptr() as usize));
    // The kernel doesn't write there either.
    let zero = tests::good!(tests::open(c"/dev/zero", 0));
    let target = CONSTANT.as_ptr() as usize;
    tests::fails!(call(rt::sys::raw::__NR_read, [zero, target, 8]), EFAULT);
    equal!(CONSTANT, b"constant content");
    Ok(())
}
