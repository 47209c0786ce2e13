//! `figures [NAME...]`: measures and prints `bench NAME VALUE UNIT` lines, all or those named.
//!
//! Counted are retired instructions of program and kernel together, by the PMU where the kernel lets
//! programs read it (`perf_user_access=1`), else by the virtual counter: under `-icount shift=0` it
//! moves by one every 16 instructions.
#![no_std]
#![no_main]

mod memory;
mod meter;
mod pipe;
mod process;
mod syscall;
mod tree;

use meter::Meter;
use rt::sys::Errno;

rt::main!(main);

/// A measurement: prints its own line.
type Figure = fn(&Meter, &str, rt::Args) -> Result<(), Errno>;

const FIGURES: &[(&str, Figure)] = &[
    ("getppid", syscall::getppid),
    ("touch-base", memory::touch),
    ("cow-base", memory::copy_on_write),
    ("mprotect-base", memory::mprotect),
    ("munmap-base", memory::munmap),
    ("fork-exit-wait", process::fork_exit_wait),
    ("fork-exec-wait", process::fork_exec_wait),
    ("pipe-round-trip", pipe::round_trip),
    ("ls-lR-kernel", tree::list),
];

fn main(args: rt::Args) -> i32 {
    let meter = Meter::new();
    let wanted = |name: &str| args.len() < 2 || args.from(1).any(|arg| arg.to_bytes() == name.as_bytes());
    let mut failed = 0;
    for (name, figure) in FIGURES.iter().filter(|(name, _)| wanted(name)) {
        if let Err(errno) = figure(&meter, name, args) {
            rt::eprintln!("figures: {name}: {errno}");
            failed += 1;
        }
    }
    i32::from(failed != 0)
}
