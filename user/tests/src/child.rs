//! Work in child processes: what may kill, or must be alone.

use crate::{Errno, Failure, Outcome};
use core::fmt;
use rt::println;
use rt::process::{self, Ended};

/// Signals that a wrong program dies by.
pub const SIGILL: i32 = 4;
/// A breakpoint.
pub const SIGTRAP: i32 = 5;
/// A file mapping's end, or an alignment that hardware insists on.
pub const SIGBUS: i32 = 7;
/// No mapping, or not this access.
pub const SIGSEGV: i32 = 11;

/// How a child ended that ran `work` and exited with its result.
pub fn run(work: impl FnOnce() -> i32) -> Result<Ended, Errno> {
    process::wait_for(process::spawn(work)?)
}

/// Runs `test` in a child. Its failure is this one's.
pub fn test(line: u32, test: impl FnOnce() -> Outcome) -> Outcome {
    let ended = run(|| outcome(test()));
    match ended {
        Ok(Ended::Exited(0)) => Ok(()),
        other => Err(Failure::new(line, format_args!("the child: {other:?}"))),
    }
}

/// A child's exit status for an outcome. The reason is printed here, as the parent can't know it.
pub fn outcome(outcome: Outcome) -> i32 {
    let Err(failure) = outcome else { return 0 };
    println!("# in a child: {failure}");
    1
}

/// Fails unless a child that does `work` dies by `signal`; `what` it does is for the message.
pub fn dies(line: u32, signal: i32, what: fmt::Arguments<'_>, work: impl FnOnce()) -> Outcome {
    let ended = run(|| {
        work();
        0
    });
    match ended {
        Ok(Ended::Killed(by)) if by == signal => Ok(()),
        Ok(ended) => Err(Failure::new(line, format_args!("{what}: {ended}, not killed by signal {signal}"))),
        Err(errno) => Err(Failure::new(line, format_args!("no child: {errno}"))),
    }
}

/// [`test`](fn@test) with the caller's line.
#[macro_export]
macro_rules! in_child {
    ($test:expr) => {
        $crate::child::test(line!(), $test)?
    };
}

/// [`dies`] with the caller's line, and with the source as its description if there is no other.
#[macro_export]
macro_rules! dies {
    ($signal:ident, $work:expr) => { $crate::dies!($signal, $work, "{}", stringify!($work)) };
    ($signal:ident, $work:expr, $($what:tt)+) => {
        $crate::child::dies(line!(), $crate::child::$signal, format_args!($($what)+), || {
            let _ = $work;
        })?
    };
}
