//! More processes at the same time than a small machine has room for: fork fails with an error at some point or
//! never, all that were made come to their end, and the system has its room back.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Wait};
use rt::sys::raw::{__NR_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME};
use tests::{Errno, Failure, Outcome, anonymous, call, check, equal, good, raw};

tests::program!(run);

const MOST: usize = 3000;
const PATIENCE_NS: u64 = 4_000_000_000;
const PAGES: usize = 8;

fn run(_: rt::Args) -> Outcome {
    let memory = good!(anonymous(PAGES * 4096));
    let deadline = rt::time::monotonic_ns() + PATIENCE_NS;
    let mut made = 0;
    let refused = loop {
        if made == MOST {
            break None;
        }
        match process::spawn(|| sleep_until(deadline, memory)) {
            Ok(_) => made += 1,
            Err(errno) => break Some(errno),
        }
    };
    check!(matches!(refused, None | Some(Errno::EAGAIN | Errno::ENOMEM)), "{refused:?} after {made}");

    let mut ended = 0;
    loop {
        match process::wait(-1, Wait::Blocking) {
            // One that found no memory for its own pages may have been killed.
            Ok(Some((_, Ended::Exited(0) | Ended::Killed(_)))) => ended += 1,
            Ok(Some((_, other))) => return Err(Failure::new(line!(), format_args!("a child: {other}"))),
            Ok(None) => {}
            Err(errno) => {
                equal!(errno, Errno::ECHILD);
                break;
            }
        }
    }
    equal!(ended, made);
    (0..100).try_for_each(|_| {
        equal!(tests::child::run(|| 6), Ok(Ended::Exited(6)));
        Ok(())
    })
}

/// In the child: has some memory of its own, and waits for the others.
fn sleep_until(deadline: u64, memory: usize) -> i32 {
    (0..PAGES).for_each(|index| raw::poke(memory + index * 4096, 1));
    let until = [deadline / 1_000_000_000, deadline % 1_000_000_000];
    let at = until.as_ptr() as usize;
    i32::from(call(__NR_clock_nanosleep, [CLOCK_MONOTONIC as usize, TIMER_ABSTIME as usize, at, 0]).is_err())
}
