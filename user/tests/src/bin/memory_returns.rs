//! What processes had comes back when they are gone: memory, page tables, processes.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_sysinfo, O_RDONLY};
use tests::{
    ANONYMOUS, Errno, FIXED, Failure, Outcome, PRIVATE, READ_WRITE, anonymous, call, check, child, equal,
    good, mmap, mprotect, munmap, on_granule, open, pattern, raw,
};

tests::program!(run);

const KIB: u64 = 1024;
const ROUNDS: usize = 150;
/// A few kernel stacks that are kept for the next process, and less than `ROUNDS` lost page tables.
const SLACK: u64 = 256 * KIB;
/// Linux keeps caches of everything.
const SLACK_ON_LINUX: u64 = 16 << 20;

fn free() -> Result<u64, Failure> {
    let mut info = [0u64; 14];
    match call(__NR_sysinfo, [info.as_mut_ptr() as usize]) {
        Ok(_) => Ok(core::hint::black_box(&info)[5]),
        Err(errno) => Err(Failure::new(line!(), format_args!("sysinfo: {errno}"))),
    }
}

fn run(args: rt::Args) -> Outcome {
    // Once for all caches to fill; then nothing more may be lost.
    (0..4).try_for_each(|round| lives_and_deaths(args, round))?;
    rest();
    let before = free()?;
    (0..ROUNDS).try_for_each(|round| lives_and_deaths(args, round))?;
    rest();
    let after = free()?;
    let slack = if on_granule() { SLACK } else { SLACK_ON_LINUX };
    check!(after + slack >= before, "{} KiB are lost", (before - after) / KIB);
    Ok(())
}

/// The orphans may still be on their way out.
fn rest() {
    rt::time::sleep_ns(200_000_000);
}

fn lives_and_deaths(args: rt::Args, round: usize) -> Outcome {
    // One that does everything to its memory, and leaves it all behind.
    equal!(child::run(|| child::outcome(spend())), Ok(rt::process::Ended::Exited(0)));
    // One that dies of a fault, now and then, as the kernel says a line about it.
    if round.is_multiple_of(20) {
        equal!(child::run(|| raw::peek(0).into()), Ok(rt::process::Ended::Killed(child::SIGSEGV)));
    }
    // One that becomes another program; one that isn't let.
    let exec = |path: &core::ffi::CStr| {
        let argv = [rt::Arg::new(path), rt::Arg::END];
        i32::from(rt::process::execve(path, &argv, args.envp()).raw())
    };
    equal!(child::run(|| exec(c"/tests/data/exec-fixed")), Ok(rt::process::Ended::Exited(42)));
    let refused = i32::from(Errno::ENOEXEC.raw());
    equal!(
        child::run(|| exec(c"/tests/data/refused/wrong-machine")),
        Ok(rt::process::Ended::Exited(refused))
    );
    Ok(())
}

fn spend() -> Outcome {
    let page = rt::page_size();
    let memory = good!(anonymous(128 * page));
    (0..128).for_each(|index| raw::poke(memory + index * page, 1));
    good!(mprotect(memory + 16 * page, 16 * page, tests::READ));
    good!(munmap(memory + 64 * page, 8 * page));
    // Far apart, so that each needs tables of its own.
    for index in 1..8 {
        good!(mmap(index << 39, page, READ_WRITE, ANONYMOUS | FIXED, usize::MAX, 0));
        raw::poke(index << 39, 1);
    }
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let file = good!(mmap(0, 40 * page, READ_WRITE, PRIVATE, fd, 0));
    (0..40).for_each(|index| raw::poke(file + index * page, 1));
    // A grandchild shares all that when it goes, as an orphan.
    good!(rt::process::spawn(|| {
        raw::poke(memory, 2);
        0
    }));
    Ok(())
}
