//! kill, tkill and tgkill: who is meant, who may, and what default actions do.
#![no_std]
#![no_main]

use rt::process::{self, Ended, getpid, kill};
use rt::sys::raw::{__NR_kill, __NR_setresuid, __NR_tgkill, __NR_tkill};
use rt::sys::signal::Signal;
use rt::terminal::set_pgid;
use tests::signal::{SaFlags, count};
use tests::{Outcome, call, child, equal, fails, good, in_child, signal};

tests::program!(run);

/// A number that no process has.
const NOBODY: usize = 32_000;

fn run(_: rt::Args) -> Outcome {
    in_child!(numbers);
    in_child!(groups);
    in_child!(threads);
    in_child!(default_actions);
    in_child!(permission);
    Ok(())
}

/// A child that waits for a signal.
fn sleeper() -> Result<process::Pid, tests::Errno> {
    process::spawn(|| {
        rt::time::sleep_ns(60_000_000_000);
        0
    })
}

fn numbers() -> Outcome {
    let me = getpid() as usize;
    good!(call(__NR_kill, [me, 0]));
    fails!(call(__NR_kill, [me, 65]), EINVAL);
    fails!(call(__NR_kill, [me, usize::MAX]), EINVAL);
    fails!(call(__NR_kill, [NOBODY, 0]), ESRCH);
    fails!(call(__NR_kill, [NOBODY, 65]), ESRCH);
    fails!(call(__NR_kill, [(NOBODY as isize).wrapping_neg() as usize, 15]), ESRCH);
    fails!(call(__NR_kill, [i32::MIN as usize, 15]), ESRCH);
    // A zombie can be sent to; one that was waited for can't.
    let child = good!(process::spawn(|| 3));
    while call(rt::sys::raw::__NR_waitid, [1, child as usize, 0, 4 | 0x100_0000, 0]) != Ok(0) {}
    good!(kill(child, 15));
    equal!(process::wait_for(child), Ok(Ended::Exited(3)));
    fails!(kill(child, 0), ESRCH);
    Ok(())
}

fn groups() -> Outcome {
    // This process and its children are a group of their own from here on.
    good!(set_pgid(0, 0));
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    let pids = [good!(sleeper()), good!(sleeper())];
    good!(kill(0, 0));
    good!(signal::handle(Signal::SIGTERM, SaFlags::empty()));
    let reset = good!(process::spawn(|| {
        let _ = signal::default(Signal::SIGTERM);
        rt::time::sleep_ns(60_000_000_000);
        0
    }));
    rt::time::sleep_ns(50_000_000);
    // Both sleepers were made before there was a handler.
    good!(kill(0, 15));
    equal!(count(), 1);
    for pid in [pids[0], pids[1], reset] {
        equal!(process::wait_for(pid), Ok(Ended::Killed(15)));
    }
    // Another group, by its number.
    let other = good!(sleeper());
    good!(set_pgid(other, other));
    good!(kill(-other, 9));
    equal!(process::wait_for(other), Ok(Ended::Killed(9)));
    fails!(kill(-other, 0), ESRCH);
    good!(kill(-getpid(), 10));
    equal!(count(), 2);
    Ok(())
}

fn threads() -> Outcome {
    let me = getpid() as usize;
    good!(call(__NR_tkill, [me, 0]));
    good!(call(__NR_tgkill, [me, me, 0]));
    for bad in [0, usize::MAX] {
        fails!(call(__NR_tkill, [bad, 10]), EINVAL);
        fails!(call(__NR_tgkill, [bad, me, 10]), EINVAL);
        fails!(call(__NR_tgkill, [me, bad, 10]), EINVAL);
    }
    fails!(call(__NR_tkill, [NOBODY, 10]), ESRCH);
    fails!(call(__NR_tgkill, [me + 1, me, 10]), ESRCH);
    fails!(call(__NR_tgkill, [me, NOBODY, 10]), ESRCH);
    fails!(call(__NR_tgkill, [me, me, 65]), EINVAL);
    Ok(())
}

fn default_actions() -> Outcome {
    // Stopping is tested elsewhere.
    for number in (1..=64).filter(|number| !(19..=22).contains(number)) {
        let ended = child::run(|| {
            if let Some(signal) = Signal::new(number as u64) {
                let _ = signal::default(signal);
            }
            let _ = kill(getpid(), number);
            42
        });
        let wanted = match number {
            // Ignored, or they only let go on.
            17 | 18 | 23 | 28 => Ended::Exited(42),
            _ => Ended::Killed(number),
        };
        tests::check!(ended == Ok(wanted), "signal {number}: {ended:?}");
    }
    Ok(())
}

fn permission() -> Outcome {
    let other = good!(sleeper());
    let ended = child::run(|| {
        if call(__NR_setresuid, [1000, 1000, 1000]).is_err() {
            return 1;
        }
        let refused =
            kill(other, 0) == Err(tests::Errno::EPERM) && kill(other, 9) == Err(tests::Errno::EPERM);
        // In the same session SIGCONT may be sent to everybody.
        i32::from(!(refused && kill(other, 18).is_ok() && kill(getpid(), 0).is_ok()))
    });
    good!(kill(other, 9));
    equal!(process::wait_for(other), Ok(Ended::Killed(9)));
    equal!(ended, Ok(Ended::Exited(0)));
    Ok(())
}
