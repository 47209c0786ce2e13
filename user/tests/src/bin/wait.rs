//! wait4: statuses, who is waited for, refusals.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Wait, getpid, getppid};
use rt::sys::raw::__NR_wait4;
use tests::{Outcome, call, check, child, equal, fails, good, raw};

tests::program!(run);

const ANY: usize = usize::MAX;

fn run(_: rt::Args) -> Outcome {
    fails!(call(__NR_wait4, [ANY, 0, 0, 0]), ECHILD);
    fails!(call(__NR_wait4, [ANY, 0, 1, 0]), ECHILD);
    fails!(call(__NR_wait4, [ANY, 0, 0x1234_5678, 0]), EINVAL);

    for status in [0, 1, 42, 255] {
        equal!(child::run(|| status), Ok(Ended::Exited(status)));
    }
    equal!(child::run(|| 0x1ff), Ok(Ended::Exited(0xff)));
    equal!(child::run(|| -1), Ok(Ended::Exited(255)));
    equal!(child::run(|| raw::peek(0).into()), Ok(Ended::Killed(child::SIGSEGV)));

    // Parent and child know each other.
    let parent = getpid();
    check!(parent > 0);
    equal!(
        child::run(|| i32::from(getppid() == parent && getpid() > 0 && getpid() != parent)),
        Ok(Ended::Exited(1))
    );

    // Polling finds nothing until the end.
    let pid = good!(process::spawn(|| {
        rt::time::sleep_ns(50_000_000);
        3
    }));
    equal!(process::wait(pid, Wait::Poll), Ok(None));
    equal!(process::wait(-1, Wait::Poll), Ok(None));
    fails!(process::wait(pid + 1000, Wait::Blocking), ECHILD);
    equal!(process::wait(pid, Wait::Blocking), Ok(Some((pid, Ended::Exited(3)))));
    fails!(process::wait(pid, Wait::Blocking), ECHILD);

    // By number, in another order than they end; then any.
    let pids = [good!(process::spawn(|| 11)), good!(process::spawn(|| 12)), good!(process::spawn(|| 13))];
    equal!(process::wait(pids[1], Wait::Blocking), Ok(Some((pids[1], Ended::Exited(12)))));
    let mut sum = 0;
    for _ in 0..2 {
        let Some((_, Ended::Exited(status))) = good!(process::wait(-1, Wait::Blocking)) else {
            return Err(tests::Failure::new(line!(), format_args!("no exit status")));
        };
        sum += status;
    }
    equal!(sum, 24);
    fails!(process::wait(-1, Wait::Blocking), ECHILD);

    // A status that can't be delivered.
    good!(process::spawn(|| 0));
    fails!(call(__NR_wait4, [ANY, 8, 0, 0]), EFAULT);

    // A child whose parent is gone belongs to somebody else.
    let ended = child::run(|| {
        let me = getpid();
        let orphan = process::spawn(|| {
            for _ in 0..1000 {
                if getppid() != me {
                    return 0;
                }
                rt::time::sleep_ns(1_000_000);
            }
            rt::println!("# an orphan still has its old parent");
            1
        });
        i32::from(orphan.is_err())
    });
    equal!(ended, Ok(Ended::Exited(0)));
    fails!(process::wait(-1, Wait::Poll), ECHILD);
    Ok(())
}
