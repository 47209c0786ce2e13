//! Timers that send signals: setitimer, timer_create, the limit on CPU time.
#![no_std]
#![no_main]

use rt::process;
use rt::sys::raw::{
    __NR_getitimer, __NR_prlimit64, __NR_setitimer, __NR_timer_create, __NR_timer_delete,
    __NR_timer_getoverrun, __NR_timer_gettime, __NR_timer_settime, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME,
};
use rt::sys::signal::{SaFlags, SigSet, Signal};
use tests::signal::{How, code, count, handle, mask, noted};
use tests::{Outcome, call, check, equal, fails, good, in_child};

tests::program!(run);

const REAL: usize = 0;
const VIRTUAL: usize = 1;
const PROF: usize = 2;
const ABSTIME: usize = 1;

fn run(_: rt::Args) -> Outcome {
    in_child!(interval_timers);
    in_child!(cpu_timers);
    in_child!(posix_timers);
    in_child!(overruns);
    in_child!(posix_errors);
    in_child!(inheritance);
    cpu_limit()
}

/// Interval and value in microseconds.
fn setitimer(which: usize, interval: u64, value: u64) -> rt::sys::Result {
    let new = [interval / 1_000_000, interval % 1_000_000, value / 1_000_000, value % 1_000_000];
    call(__NR_setitimer, [which, new.as_ptr() as usize, 0])
}

fn getitimer(which: usize) -> [u64; 4] {
    let mut now = [7u64; 4];
    let _ = call(__NR_getitimer, [which, now.as_mut_ptr() as usize]);
    core::hint::black_box(now)
}

fn sleep_ms(ms: u64) {
    let end = rt::time::monotonic_ns() + ms * 1_000_000;
    while rt::time::monotonic_ns() < end {
        rt::time::sleep_ns(1_000_000);
    }
}

fn spin_ms(ms: u64) {
    let end = rt::time::monotonic_ns() + ms * 1_000_000;
    while rt::time::monotonic_ns() < end {
        // The program's own time, and not the kernel's.
        (0..20_000).for_each(|_| core::hint::spin_loop());
    }
}

fn interval_timers() -> Outcome {
    good!(handle(Signal::SIGALRM, SaFlags::empty()));
    equal!(getitimer(REAL), [0; 4]);
    good!(setitimer(REAL, 0, 20_000));
    let left = getitimer(REAL);
    check!(left[2] == 0 && left[3] > 0 && left[3] <= 20_001, "{left:?}");
    sleep_ms(60);
    equal!(count(), 1);
    equal!((noted().signal, noted().code), (14, code::SI_KERNEL));
    equal!(getitimer(REAL), [0; 4]);
    good!(setitimer(REAL, 10_000, 10_000));
    sleep_ms(100);
    equal!(getitimer(REAL)[..2], [0, 10_000]);
    let before = good!({
        let mut old = [0u64; 4];
        let off = [0u64; 4];
        call(__NR_setitimer, [REAL, off.as_ptr() as usize, old.as_mut_ptr() as usize]).map(|_| old)
    });
    equal!(core::hint::black_box(before)[1], 10_000);
    let rung = count();
    check!((4..=12).contains(&rung), "{rung}");
    sleep_ms(30);
    equal!(count(), rung);
    // Nothing given switches it off, too.
    good!(setitimer(REAL, 0, 10_000_000));
    good!(call(__NR_setitimer, [REAL, 0, 0]));
    equal!(getitimer(REAL), [0; 4]);
    fails!(call(__NR_getitimer, [3, 0]), EINVAL);
    fails!(call(__NR_getitimer, [REAL, 0]), EFAULT);
    fails!(setitimer(3, 0, 1), EINVAL);
    fails!(call(__NR_setitimer, [REAL, 8, 0]), EFAULT);
    for bad in [[0i64, 1_000_000, 0, 0], [0, 0, 0, 1_000_000], [0, 0, -1, 0], [0, -1, 0, 0]] {
        fails!(call(__NR_setitimer, [REAL, bad.as_ptr() as usize, 0]), EINVAL);
    }
    Ok(())
}

fn cpu_timers() -> Outcome {
    good!(handle(Signal::SIGVTALRM, SaFlags::empty()));
    good!(handle(Signal::SIGPROF, SaFlags::empty()));
    good!(setitimer(VIRTUAL, 0, 50_000));
    // Sleeping uses nothing.
    sleep_ms(100);
    equal!(count(), 0);
    spin_ms(200);
    equal!((count(), noted().signal), (1, 26));
    good!(setitimer(PROF, 20_000, 20_000));
    spin_ms(200);
    check!(count() > 3 && noted().signal == 27, "{:?}", noted());
    Ok(())
}

/// `struct sigevent`: value, signal and kind, thread.
fn timer_create(clock: u32, event: Option<[u64; 8]>) -> Result<usize, rt::sys::Errno> {
    let mut id = 99u32;
    let event = event.as_ref().map_or(0, |event| event.as_ptr() as usize);
    call(__NR_timer_create, [clock as usize, event, (&raw mut id).addr()])?;
    Ok(core::hint::black_box(id) as usize)
}

/// Interval and value in nanoseconds.
fn settime(id: usize, flags: usize, interval: u64, value: u64) -> rt::sys::Result {
    const SECOND: u64 = 1_000_000_000;
    let new = [interval / SECOND, interval % SECOND, value / SECOND, value % SECOND];
    call(__NR_timer_settime, [id, flags, new.as_ptr() as usize, 0])
}

fn gettime(id: usize) -> [u64; 4] {
    let mut now = [7u64; 4];
    let _ = call(__NR_timer_gettime, [id, now.as_mut_ptr() as usize]);
    core::hint::black_box(now)
}

fn event(signal: u64, kind: u64, value: u64) -> Option<[u64; 8]> {
    Some([value, signal | kind << 32, process::getpid() as u64, 0, 0, 0, 0, 0])
}

fn posix_timers() -> Outcome {
    good!(handle(Signal::SIGUSR1, SaFlags::empty()));
    good!(handle(Signal::SIGALRM, SaFlags::empty()));
    let first = good!(timer_create(CLOCK_MONOTONIC, event(10, 0, 0x1234_5678_9abc)));
    equal!(gettime(first), [0; 4]);
    good!(settime(first, 0, 0, 20_000_000));
    let left = gettime(first);
    check!(left[3] > 0 && left[3] <= 20_000_000, "{left:?}");
    sleep_ms(50);
    equal!((count(), noted().signal, noted().code), (1, 10, code::SI_TIMER));
    equal!((noted().pid as usize, noted().value), (first, 0x1234_5678_9abc));
    // By default SIGALRM, with the timer's number.
    let second = good!(timer_create(CLOCK_REALTIME, None));
    check!(second != first);
    let now = rt::time::monotonic_ns();
    good!(settime(second, 0, 0, 1));
    sleep_ms(20);
    equal!((count(), noted().signal, noted().value as u32 as usize), (2, 14, second));
    // At a time on its clock, which may have passed.
    good!(settime(first, ABSTIME, 0, now + 80_000_000));
    sleep_ms(10);
    equal!(count(), 2);
    sleep_ms(120);
    equal!(count(), 3);
    good!(settime(first, ABSTIME, 0, 1));
    sleep_ms(10);
    equal!(count(), 4);
    // To one thread, and CPU time.
    let third = good!(timer_create(CLOCK_PROCESS_CPUTIME_ID, event(10, 4, 5)));
    good!(settime(third, 0, 0, 30_000_000));
    spin_ms(150);
    equal!((count(), noted().value), (5, 5));
    // One that is only read.
    let fourth = good!(timer_create(CLOCK_MONOTONIC, event(0, 1, 0)));
    good!(settime(fourth, 0, 10_000_000, 10_000_000));
    sleep_ms(35);
    let left = gettime(fourth);
    check!(left[1] == 10_000_000 && left[3] <= 10_000_000, "{left:?}");
    for id in [first, second, third, fourth] {
        good!(call(__NR_timer_delete, [id]));
        fails!(call(__NR_timer_delete, [id]), EINVAL);
    }
    equal!(count(), 5);
    Ok(())
}

fn overruns() -> Outcome {
    let usr1 = SigSet::of(&[Signal::SIGUSR1]);
    good!(handle(Signal::SIGUSR1, SaFlags::empty()));
    let id = good!(timer_create(CLOCK_MONOTONIC, event(10, 0, 0)));
    good!(mask(How::Block, usr1));
    good!(settime(id, 0, 10_000_000, 10_000_000));
    sleep_ms(105);
    good!(mask(How::Unblock, usr1));
    equal!(count(), 1);
    let missed = good!(call(__NR_timer_getoverrun, [id]));
    check!((8..=12).contains(&missed), "{missed}");
    fails!(call(__NR_timer_getoverrun, [id + 1]), EINVAL);
    Ok(())
}

fn posix_errors() -> Outcome {
    fails!(timer_create(99, None), EINVAL);
    fails!(timer_create(CLOCK_MONOTONIC_RAW, None), EOPNOTSUPP);
    fails!(timer_create(CLOCK_MONOTONIC, event(0, 0, 0)), EINVAL);
    fails!(timer_create(CLOCK_MONOTONIC, event(65, 0, 0)), EINVAL);
    fails!(timer_create(CLOCK_MONOTONIC, event(10, 3, 0)), EINVAL);
    fails!(timer_create(CLOCK_MONOTONIC, Some([0, 10 | 4 << 32, 1, 0, 0, 0, 0, 0])), EINVAL);
    fails!(call(__NR_timer_create, [CLOCK_MONOTONIC as usize, 8, 0]), EFAULT);
    fails!(call(__NR_timer_create, [CLOCK_MONOTONIC as usize, 0, 0]), EFAULT);
    let id = good!(timer_create(CLOCK_MONOTONIC, None));
    fails!(call(__NR_timer_settime, [id, 0, 0, 0]), EINVAL);
    fails!(call(__NR_timer_settime, [id, 0, 8, 0]), EFAULT);
    fails!(call(__NR_timer_settime, [id, 0, [0i64, 0, 0, 1_000_000_000].as_ptr() as usize, 0]), EINVAL);
    fails!(call(__NR_timer_settime, [id, 0, [0i64, -1, 0, 0].as_ptr() as usize, 0]), EINVAL);
    fails!(settime(id + 1, 0, 0, 1), EINVAL);
    fails!(call(__NR_timer_gettime, [id, 8]), EFAULT);
    fails!(call(__NR_timer_gettime, [usize::MAX, 8]), EINVAL);
    Ok(())
}

fn inheritance() -> Outcome {
    good!(handle(Signal::SIGALRM, SaFlags::empty()));
    let id = good!(timer_create(CLOCK_MONOTONIC, None));
    good!(setitimer(REAL, 0, 30_000_000));
    in_child!(|| {
        equal!(getitimer(REAL), [0; 4]);
        fails!(call(__NR_timer_gettime, [id, 8]), EINVAL);
        Ok(())
    });
    check!(getitimer(REAL)[2] > 20);
    Ok(())
}

fn cpu_limit() -> Outcome {
    const CPU: usize = 0;
    const SIGXCPU: i32 = 24;
    let ended = tests::child::run(|| {
        let limit = [1u64, 2];
        let _ = call(__NR_prlimit64, [0, CPU, limit.as_ptr() as usize, 0]);
        loop {
            core::hint::spin_loop();
        }
    });
    equal!(ended, Ok(process::Ended::Killed(SIGXCPU)));
    let ended = tests::child::run(|| {
        let limit = [1u64, 2];
        let _ = tests::signal::ignore(Signal::SIGXCPU);
        let _ = call(__NR_prlimit64, [0, CPU, limit.as_ptr() as usize, 0]);
        loop {
            core::hint::spin_loop();
        }
    });
    equal!(ended, Ok(process::Ended::Killed(9)));
    Ok(())
}
