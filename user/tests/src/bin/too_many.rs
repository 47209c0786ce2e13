//! Processes until no more can be had: an error says so, nobody is harmed, and all comes back.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Wait};
use tests::{Errno, Outcome, check, equal, good};

tests::program!(run);

/// Enough to fill a machine of 128 MiB; on a larger one this is a crowd.
const MOST: usize = 1500;
const SLEEP_NS: u64 = 300_000_000;

fn run(_: rt::Args) -> Outcome {
    for _ in 0..2 {
        let mut count = 0;
        while count < MOST {
            match process::spawn(|| {
                rt::time::sleep_ns(SLEEP_NS);
                7
            }) {
                Ok(_) => count += 1,
                Err(errno) => {
                    check!(matches!(errno, Errno::EAGAIN | Errno::ENOMEM), "{errno} after {count}");
                    break;
                }
            }
        }
        check!(count >= 50, "no more than {count}");
        for _ in 0..count {
            let ended = match good!(process::wait(-1, Wait::Blocking)) {
                Some((_, ended)) => ended,
                None => continue,
            };
            // One that had no memory for its first page may have been the one to go.
            check!(matches!(ended, Ended::Exited(7) | Ended::Killed(9)), "{ended}");
        }
        equal!(process::wait(-1, Wait::Blocking).map(|_| ()), Err(Errno::ECHILD));
    }
    Ok(())
}
