//! The auxiliary vector, and the rest of what a new program finds on its stack.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::process::{self, Ended};
use rt::sys::Errno;
use rt::{Arg, Args, auxv};
use tests::{Outcome, check, equal, good, raw};

tests::program!(run);

const AT_PHDR: u32 = 3;
const AT_PHENT: u32 = 4;
const AT_PHNUM: u32 = 5;
const AT_PAGESZ: u32 = 6;
const AT_BASE: u32 = 7;
const AT_FLAGS: u32 = 8;
const AT_ENTRY: u32 = 9;
const AT_UID: u32 = 11;
const AT_EGID: u32 = 14;
const AT_PLATFORM: u32 = 15;
const AT_HWCAP: u32 = 16;
const AT_CLKTCK: u32 = 17;
const AT_SECURE: u32 = 23;
const AT_RANDOM: u32 = 25;
const AT_HWCAP2: u32 = 26;
const AT_EXECFN: u32 = 31;

const FP_AND_SIMD: usize = 3;
const PT_PHDR: u32 = 6;

fn run(args: Args) -> Outcome {
    let value = |key| auxv().value(key);
    if args.get(1) == Some(c"random") {
        // Started by this program: tells it one byte of its random numbers.
        process::exit(value(AT_RANDOM).map_or(256, |at| raw::peek(at).into()));
    }

    check!(matches!(value(AT_PAGESZ), Some(0x1000 | 0x4000 | 0x1_0000)));
    equal!(value(AT_PHENT), Some(56));
    equal!(value(AT_BASE), Some(0));
    equal!(value(AT_FLAGS), Some(0));
    equal!(value(AT_CLKTCK), Some(100));
    equal!(value(AT_SECURE), Some(0));
    for id in AT_UID..=AT_EGID {
        equal!(value(id), Some(0));
    }
    equal!(good!(value(AT_HWCAP).ok_or(Errno::ENOENT)) & FP_AND_SIMD, FP_AND_SIMD);
    check!(value(AT_HWCAP2).is_some());

    // The program headers are the program's own, at its load address.
    let (Some(headers), Some(count)) = (value(AT_PHDR), value(AT_PHNUM)) else {
        return Err(tests::Failure::new(line!(), format_args!("no program headers")));
    };
    check!((1..20).contains(&count));
    let own = (0..count).map(|index| headers + index * 56).find(|&at| raw::peek64(at) as u32 == PT_PHDR);
    let own = good!(own.ok_or(Errno::ENOENT));
    let load_address = headers - raw::peek64(own + 16) as usize;
    check!(load_address.is_multiple_of(4096) && load_address != 0);
    equal!(raw::peek64(load_address) as u32, 0x464c_457f);
    equal!(value(AT_ENTRY), Some(load_address + raw::peek64(load_address + 24) as usize));

    let string = |key| value(key).and_then(|at| CStr::from_bytes_until_nul(raw::bytes(at, 64)).ok());
    equal!(string(AT_EXECFN), Some(c"/tests/auxv"));
    equal!(string(AT_PLATFORM), Some(c"aarch64"));

    // Random numbers: different in some of a few runs.
    let mut first = None;
    let mut differ = false;
    for _ in 0..8 {
        let argv = [Arg::new(c"auxv"), Arg::new(c"random"), Arg::END];
        let child = process::spawn(|| i32::from(process::execve(c"/tests/auxv", &argv, args.envp()).raw()));
        let Ended::Exited(byte) = good!(process::wait_for(good!(child))) else {
            return Err(tests::Failure::new(line!(), format_args!("the child died")));
        };
        differ |= *first.get_or_insert(byte) != byte;
    }
    check!(differ, "AT_RANDOM is always the same");

    // Strings lie above the vectors, everything in one piece of memory.
    check!(!args.is_empty());
    let argv0 = good!(args.get(0).ok_or(Errno::ENOENT)).as_ptr() as usize;
    let sp = raw::stack_pointer();
    check!(argv0 > sp && argv0 < sp + (1 << 20));
    Ok(())
}
