//! RLIMIT_NPROC: how many processes a user has, and whom it does not bind.
#![no_std]
#![no_main]

use rt::process::{self, Ended};
use rt::sys::raw::{__NR_clock_nanosleep, __NR_prlimit64, CLOCK_MONOTONIC};
use rt::{Arg, Args};
use tests::files::{pipe, write};
use tests::ids::{SYS_RESOURCE, become_user, capget, capset, prctl, setresuid};
use tests::{Errno, Outcome, call, check, equal, fails, good, in_child};

tests::program!(run);

const NPROC: usize = 6;
const USER: usize = 5000;
const PR_SET_KEEPCAPS: usize = 8;

fn limit(soft: u64, hard: u64) -> Result<usize, Errno> {
    call(__NR_prlimit64, [0, NPROC, [soft, hard].as_ptr() as usize, 0])
}

/// In a child: stays a while.
fn stay() -> i32 {
    let long = [0usize, 300_000_000];
    i32::from(call(__NR_clock_nanosleep, [CLOCK_MONOTONIC as usize, 0, long.as_ptr() as usize, 0]).is_err())
}

fn run(args: Args) -> Outcome {
    // Root is not bound, whatever the limit.
    in_child!(|| {
        good!(limit(0, 0));
        equal!(tests::child::run(|| 3), Ok(Ended::Exited(3)));
        Ok(())
    });
    in_child!(|| {
        good!(limit(4, 8));
        good!(become_user(USER, USER));
        fails!(limit(4, 9), EPERM);
        let mut made = 1;
        let refused = loop {
            match process::spawn(stay) {
                Ok(_) => made += 1,
                Err(errno) => break errno,
            }
            check!(made < 100);
        };
        equal!((refused, made), (Errno::EAGAIN, 4));
        // The dead count until they are waited for.
        for _ in 1..4 {
            good!(process::wait(-1, process::Wait::Blocking));
        }
        equal!(tests::child::run(|| 5), Ok(Ended::Exited(5)));
        Ok(())
    });
    // A capability does what root's number does.
    in_child!(|| {
        good!(limit(0, 0));
        good!(prctl(PR_SET_KEEPCAPS, [1, 0, 0, 0]));
        good!(setresuid(USER, USER, USER));
        fails!(process::spawn(|| 0), EAGAIN);
        let caps = good!(capget());
        good!(capset(tests::ids::Caps { effective: 1 << SYS_RESOURCE, ..caps }));
        equal!(tests::child::run(|| 7), Ok(Ended::Exited(7)));
        Ok(())
    });
    // Whoever becomes a user that has more processes than the limit is told by exec. Its own is not counted before.
    let late = || {
        let _ = limit(0, 0);
        if setresuid(USER, USER, USER).is_err() {
            return 1;
        }
        process::execve(c"/bin/true", &[Arg::new(c"true"), Arg::END], args.envp()).raw().into()
    };
    equal!(tests::child::run(late), Ok(Ended::Exited(0)));
    let (reader, writer) = good!(pipe(0));
    let other = good!(process::spawn(|| {
        let there = setresuid(USER, USER, USER).is_ok() && write(writer, b"x") == Ok(1);
        if there { stay() } else { 1 }
    }));
    equal!(tests::read(reader, &mut [0]), Ok(1));
    equal!(tests::child::run(late), Ok(Ended::Exited(Errno::EAGAIN.raw().into())));
    equal!(process::wait_for(other), Ok(Ended::Exited(0)));
    Ok(())
}
