//! `memory`: what demand paging and copy on write look like from inside a program.
#![no_std]
#![no_main]

use rt::map::Mapping;
use rt::process::{self, Ended};
use rt::rustix::fs::{Mode, OFlags, open};
use rt::{println, usage};

rt::main!(main);

const MIB: usize = 1 << 20;
const SIZE: usize = 16 * MIB;
const PROGRAM: &core::ffi::CStr = c"/bin/memory";

fn main(_: rt::Args) -> i32 {
    match show() {
        Ok(()) => 0,
        Err(errno) => {
            rt::eprintln!("memory: {errno}");
            1
        }
    }
}

fn show() -> Result<(), rt::sys::Errno> {
    let page = rt::page_size();
    let mut memory = step("map 16 MiB of anonymous memory", || Mapping::anonymous(SIZE))?;
    step("read one byte of each page", || {
        memory.iter().step_by(page).map(|&byte| byte as usize).sum::<usize>()
    });
    step("write one byte of each page", || memory.iter_mut().step_by(page).for_each(|byte| *byte = 1));
    step("write them again", || memory.iter_mut().step_by(page).for_each(|byte| *byte = 2));

    let child = step("fork", || process::spawn(|| overwrite(&mut memory, page)))?;
    let ended = process::wait_for(child)?;
    let intact = memory.iter().step_by(page).all(|&byte| byte == 2);
    println!(
        "  the child wrote all pages ({ended}); here they are {}",
        if intact && ended == Ended::Exited(0) { "as before" } else { "NOT AS BEFORE" }
    );

    let file = open(PROGRAM, OFlags::RDONLY, Mode::empty()).map_err(rt::sys::errno)?;
    let mut program = step("map this program's own file, private", || {
        Mapping::file(rt::rustix::fd::AsFd::as_fd(&file), page)
    })?;
    step("overwrite its first bytes in memory", || program[..4].copy_from_slice(b"mine"));
    let again = Mapping::file(rt::rustix::fd::AsFd::as_fd(&file), page)?;
    println!("  on the disk its name is still {}", rt::io::Text(&again[1..4]));
    Ok(())
}

/// What the child does to its copy.
fn overwrite(memory: &mut Mapping, page: usize) -> i32 {
    memory.iter_mut().step_by(page).for_each(|byte| *byte = 3);
    0
}

/// Runs `work` and prints what it cost in faults and microseconds.
fn step<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let faults = usage::faults();
    let start = rt::time::monotonic_ns();
    let result = core::hint::black_box(work());
    let us = (rt::time::monotonic_ns() - start) / 1000;
    match faults.zip(usage::faults()) {
        Some((before, after)) => {
            println!("  {what:<40} {:>6} faults {us:>8} us", after.0 + after.1 - before.0 - before.1);
        }
        None => println!("  {what:<40} {us:>8} us"),
    }
    result
}
