//! A fork bomb under RLIMIT_NPROC: each process forks as long as it can. The limit stops them, all of them end, and there is
//! room for others meanwhile.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Wait};
use rt::sys::raw::{__NR_prlimit64, __NR_setresgid, __NR_setresuid, RLIMIT_NPROC};
use tests::{Errno, Outcome, call, check, child, close, equal, good, read};

tests::program!(run);

/// A user that nobody else is.
const USER: usize = 4321;
const LIMIT: u64 = 40;
/// Deep enough for more processes than the limit allows, were there none.
const DEPTH: u32 = 8;

fn run(_: rt::Args) -> Outcome {
    let (from, to) = good!(tests::files::pipe(0));
    let bomb = good!(process::spawn(|| {
        let limit = [LIMIT, LIMIT];
        let bound = call(__NR_prlimit64, [0, RLIMIT_NPROC as usize, limit.as_ptr() as usize, 0])
            .and_then(|_| call(__NR_setresgid, [USER, USER, USER]))
            .and_then(|_| call(__NR_setresuid, [USER, USER, USER]));
        if bound.is_err() {
            return 9;
        }
        let _ = close(from);
        explode(DEPTH, to);
        0
    }));
    good!(close(to));
    // While they are at it others can be made.
    for _ in 0..20 {
        equal!(child::run(|| 6), Ok(Ended::Exited(6)));
    }
    equal!(good!(process::wait_for(bomb)), Ended::Exited(0));
    // Each that was refused wrote a byte, and the last one that ends closes the pipe.
    let mut refused = 0;
    let mut bytes = [0; 256];
    loop {
        match good!(read(from, &mut bytes)) {
            0 => break,
            count => refused += count,
        }
    }
    check!(refused > 0, "nobody was refused");
    good!(close(from));
    Ok(())
}

/// Forks until that is refused, which is reported, waits for the children, which do the same, and so on.
fn explode(depth: u32, report: usize) {
    let mut made = 0;
    while depth > 0 && made < LIMIT {
        match process::spawn(|| {
            explode(depth - 1, report);
            0
        }) {
            Ok(_) => made += 1,
            Err(errno) => {
                if errno == Errno::EAGAIN {
                    let _ = tests::files::write(report, b"x");
                }
                break;
            }
        }
    }
    while let Ok(Some(_)) = process::wait(-1, Wait::Blocking) {}
}
