//! getrusage and the last argument of wait4: a fault for each page touched, and none for the next touch.
#![no_std]
#![no_main]

use rt::process;
use rt::sys::raw::{__NR_getrusage, __NR_wait4, RUSAGE_CHILDREN, RUSAGE_SELF};
use tests::{ANONYMOUS, Outcome, READ_WRITE, anonymous, call, check, equal, fails, good, mmap, raw};

tests::program!(run);

/// Too few for a large folio, on a Linux that has them.
const PAGES: u64 = 100;
/// Faults that happen by the way: stack, own code and data.
const BY_THE_WAY: u64 = 20;
const MINFLT: usize = 64;

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let usage = good!(anonymous(page));
    let faults = |who: i32| {
        call(__NR_getrusage, [who as usize, usage])?;
        Ok::<_, tests::Errno>(raw::peek64(usage + MINFLT))
    };
    raw::poke(usage, 0);

    let touch = || -> Result<(), tests::Errno> {
        let memory = mmap(0, PAGES as usize * page, READ_WRITE, ANONYMOUS, usize::MAX, 0)?;
        (0..PAGES as usize).for_each(|index| raw::poke(memory + index * page, 1));
        let between = faults(RUSAGE_SELF as i32)?;
        (0..PAGES as usize).for_each(|index| raw::poke(memory + index * page, 2));
        if faults(RUSAGE_SELF as i32)? > between + BY_THE_WAY { Err(tests::Errno::E2BIG) } else { Ok(()) }
    };
    let before = good!(faults(RUSAGE_SELF as i32));
    good!(touch());
    let counted = good!(faults(RUSAGE_SELF as i32)) - before;
    check!((PAGES..PAGES + BY_THE_WAY).contains(&counted), "{counted} faults");

    // A child's count when it is waited for, and not before.
    equal!(faults(RUSAGE_CHILDREN), Ok(0));
    let child = good!(process::spawn(|| i32::from(touch().is_err())));
    let status = good!(anonymous(page));
    equal!(call(__NR_wait4, [child as usize, status, 0, usage]), Ok(child as usize));
    equal!(raw::peek64(status), 0);
    let counted = raw::peek64(usage + MINFLT);
    check!((PAGES..PAGES * 4).contains(&counted), "{counted} faults of the child");
    equal!(faults(RUSAGE_CHILDREN), Ok(counted));

    fails!(call(__NR_getrusage, [7, usage]), EINVAL);
    fails!(call(__NR_getrusage, [RUSAGE_SELF as usize, 8]), EFAULT);
    Ok(())
}
