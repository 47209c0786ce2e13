//! Out of memory: who takes it all is killed, be it by its own accesses or by a system call's; or the one is killed that
//! was named for it. Others live on with what they have.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Pid, Wait};
use rt::sys::raw::{__NR_getpid, O_RDONLY, O_RDWR};
use tests::files::write;
use tests::text::{PathText, Text};
use tests::{
    Errno, Outcome, anonymous, call, check, child, close, equal, fails, good, on_granule, open, raw, read,
};

tests::program!(run);

const MIB: usize = 1 << 20;
const SIGKILL: i32 = 9;

fn run(_: rt::Args) -> Outcome {
    settings()?;
    killed_in_a_system_call()?;
    the_named_one_goes_first()?;
    counted()
}

fn set(path: &core::ffi::CStr, value: &[u8]) -> Result<(), Errno> {
    let fd = open(path, O_RDWR)?;
    let written = write(fd, value);
    close(fd)?;
    written.map(|_| ())
}

fn says(path: &core::ffi::CStr, text: &str) -> Outcome {
    let read = good!(Text::<64>::read(path));
    equal!(read.str(), text);
    Ok(())
}

fn settings() -> Outcome {
    let adj = c"/proc/self/oom_score_adj";
    says(adj, "0\n")?;
    good!(set(adj, b"500\n"));
    says(adj, "500\n")?;
    says(c"/proc/self/oom_adj", "8\n")?;
    fails!(set(adj, b"1001"), EINVAL);
    fails!(set(adj, b"-1001"), EINVAL);
    fails!(set(adj, b"x"), EINVAL);
    let score = || Text::<64>::read(c"/proc/self/oom_score").map(|text| text.str().trim().parse::<u64>());
    let high = good!(score());
    tests::in_child!(|| says(c"/proc/self/oom_score_adj", "500\n"));
    good!(set(adj, b"-1000"));
    equal!(good!(score()), Ok(0));
    good!(set(adj, b"0"));
    check!(good!(score()).unwrap_or(0) < high.unwrap_or(0));
    Ok(())
}

/// Takes memory that a system call fills, until there is no more. Whoever gets an error from that has not been killed.
fn hog_by_read() -> i32 {
    let Ok(zero) = open(c"/dev/zero", O_RDONLY) else { return 3 };
    loop {
        let Ok(memory) = anonymous(64 * MIB) else { return 1 };
        let mut done = 0;
        while done < 64 * MIB {
            match call(rt::sys::raw::__NR_read, [zero, memory + done, MIB]) {
                Ok(count) if count > 0 => done += count,
                _ => return 2,
            }
        }
    }
}

/// Takes memory by touching it.
fn hog() -> i32 {
    loop {
        let Ok(memory) = anonymous(64 * MIB) else { return 1 };
        (memory..memory + 64 * MIB).step_by(4096).for_each(|addr| raw::poke(addr, 1));
    }
}

/// A process that keeps `size` bytes until it may end, and then says whether they are as they were.
fn keeper(size: usize, gate: usize) -> Result<Pid, Errno> {
    process::spawn(move || {
        let Ok(memory) = anonymous(size) else { return 3 };
        (memory..memory + size).step_by(4096).for_each(|addr| raw::poke(addr, addr as u8 ^ 0x5a));
        // Blocks until the last writer is gone.
        let _ = read(gate, &mut [0]);
        let same = |addr: usize| raw::peek(addr) == addr as u8 ^ 0x5a;
        i32::from(!(memory..memory + size).step_by(4096).all(same))
    })
}

fn killed_in_a_system_call() -> Outcome {
    let (from, to) = good!(tests::files::pipe(0));
    let keeper = good!(keeper_without(to, from));
    let ended = good!(child::run(hog_by_read));
    check!(ended == Ended::Killed(SIGKILL) || ended == Ended::Exited(1), "{ended}");
    good!(close(to));
    let kept = good!(process::wait_for(keeper));
    // Linux now and then takes a second victim while the first still has its memory.
    check!(kept == Ended::Exited(0) || !on_granule(), "{kept}");
    good!(close(from));
    Ok(())
}

/// [`keeper`] of little memory, which does not hold the gate open itself.
fn keeper_without(to: usize, from: usize) -> Result<Pid, Errno> {
    process::spawn(move || {
        let _ = close(to);
        match keeper(2 * MIB, from).and_then(process::wait_for) {
            Ok(Ended::Exited(status)) => status,
            _ => 4,
        }
    })
}

fn the_named_one_goes_first() -> Outcome {
    let (from, to) = good!(tests::files::pipe(0));
    let named = good!(keeper(4 * MIB, from));
    let path = PathText::new(format_args!("/proc/{named}/oom_score_adj"));
    good!(set(path.c_str(), b"1000"));
    let pid = good!(call(__NR_getpid, []));
    check!(pid as Pid != named);
    let ended = good!(child::run(hog));
    check!(ended == Ended::Killed(SIGKILL) || ended == Ended::Exited(1), "{ended}");
    if ended == Ended::Killed(SIGKILL) {
        // It was killed before the other one was.
        equal!(good!(process::wait(named, Wait::Poll)), Some((named, Ended::Killed(SIGKILL))));
    }
    good!(close(to));
    good!(close(from));
    Ok(())
}

fn counted() -> Outcome {
    let vmstat = good!(Text::<16384>::read(c"/proc/vmstat"));
    check!(vmstat.number("oom_kill ") >= Some(2), "{:?}", vmstat.field("oom_kill "));
    Ok(())
}
