//! Clocks: which there are, what they show, how one sleeps by them, who may set them.
#![no_std]
#![no_main]

use rt::process;
use rt::sys::raw::{
    __NR_clock_getres, __NR_clock_gettime, __NR_clock_nanosleep, __NR_clock_settime, __NR_gettimeofday,
    __NR_nanosleep, __NR_settimeofday, __NR_times, CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID, TIMER_ABSTIME,
};
use rt::sys::signal::{SaFlags, Signal};
use tests::ids::become_user;
use tests::{Outcome, call, check, equal, fails, good, in_child, signal};

tests::program!(run);

const SECOND: u64 = 1_000_000_000;
const ABSTIME: usize = TIMER_ABSTIME as usize;

fn now(clock: u32) -> Result<u64, rt::sys::Errno> {
    let mut time = [0u64; 2];
    call(__NR_clock_gettime, [clock as usize, time.as_mut_ptr() as usize])?;
    let time = core::hint::black_box(time);
    Ok(time[0] * SECOND + time[1])
}

fn sleep(clock: u32, flags: usize, nanos: u64) -> rt::sys::Result {
    let time = [nanos / SECOND, nanos % SECOND];
    call(__NR_clock_nanosleep, [clock as usize, flags, time.as_ptr() as usize, 0])
}

/// The CPU clock of process `pid`, as its number.
fn cpu_clock(pid: i32) -> u32 {
    (!pid as u32) << 3 | 2
}

fn run(_: rt::Args) -> Outcome {
    readings()?;
    sleeping()?;
    in_child!(interrupted);
    in_child!(setting);
    Ok(())
}

fn readings() -> Outcome {
    let all = [
        CLOCK_REALTIME,
        CLOCK_MONOTONIC,
        CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_THREAD_CPUTIME_ID,
        CLOCK_MONOTONIC_RAW,
        CLOCK_REALTIME_COARSE,
        CLOCK_MONOTONIC_COARSE,
        CLOCK_BOOTTIME,
        CLOCK_TAI,
    ];
    for clock in all {
        let first = good!(now(clock));
        check!(good!(now(clock)) >= first, "clock {clock}");
        let mut resolution = [9u64; 2];
        good!(call(__NR_clock_getres, [clock as usize, resolution.as_mut_ptr() as usize]));
        let [seconds, nanos] = core::hint::black_box(resolution);
        check!(seconds == 0 && (1..=10_000_000).contains(&nanos), "clock {clock}: {nanos}");
        good!(call(__NR_clock_getres, [clock as usize, 0]));
        fails!(call(__NR_clock_gettime, [clock as usize, 8]), EFAULT);
    }
    for clock in [10, 12, 99, usize::MAX] {
        fails!(call(__NR_clock_gettime, [clock, 0]), EINVAL);
        fails!(call(__NR_clock_getres, [clock, 0]), EINVAL);
    }
    check!(good!(now(CLOCK_REALTIME)) > good!(now(CLOCK_MONOTONIC)));
    // CPU time passes while one works, and not while one sleeps.
    let before = good!(now(CLOCK_PROCESS_CPUTIME_ID));
    rt::time::sleep_ns(50_000_000);
    let slept = good!(now(CLOCK_PROCESS_CPUTIME_ID)) - before;
    check!(slept < 40_000_000, "{slept}");
    good!(now(cpu_clock(0)));
    good!(now(cpu_clock(process::getpid())));
    good!(now(cpu_clock(1)));
    fails!(now(cpu_clock(0x0fff_fffe)), EINVAL);
    check!(good!(call(__NR_times, [0])) > 0);
    let mut used = [u64::MAX; 4];
    good!(call(__NR_times, [used.as_mut_ptr() as usize]));
    check!(core::hint::black_box(used)[0] < 1000);
    fails!(call(__NR_times, [8]), EFAULT);
    good!(call(__NR_gettimeofday, [0, 0]));
    fails!(call(__NR_gettimeofday, [8, 0]), EFAULT);
    fails!(call(__NR_gettimeofday, [0, 8]), EFAULT);
    Ok(())
}

fn sleeping() -> Outcome {
    for clock in [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI] {
        let start = good!(now(clock));
        good!(sleep(clock, 0, 10_000_000));
        check!(good!(now(clock)) - start >= 10_000_000);
        let end = good!(now(clock)) + 10_000_000;
        good!(sleep(clock, ABSTIME, end));
        check!(good!(now(clock)) >= end);
        // What has passed is over at once.
        good!(sleep(clock, ABSTIME, 1));
        fails!(call(__NR_clock_nanosleep, [clock as usize, 0, 8, 0]), EFAULT);
        let bad = [0u64, SECOND];
        fails!(call(__NR_clock_nanosleep, [clock as usize, 0, bad.as_ptr() as usize, 0]), EINVAL);
        let bad = [-1i64, 0];
        fails!(call(__NR_clock_nanosleep, [clock as usize, 0, bad.as_ptr() as usize, 0]), EINVAL);
    }
    for clock in [CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE] {
        fails!(sleep(clock, 0, 1), EOPNOTSUPP);
    }
    fails!(sleep(99, 0, 1), EINVAL);
    fails!(call(__NR_nanosleep, [0, 0]), EFAULT);
    // Until a child has worked for so long.
    let child = good!(process::spawn(|| {
        let end = rt::time::monotonic_ns() + 150_000_000;
        while rt::time::monotonic_ns() < end {}
        0
    }));
    good!(sleep(cpu_clock(child), ABSTIME, 30_000_000));
    check!(good!(now(cpu_clock(child))) >= 30_000_000);
    good!(process::wait_for(child));
    Ok(())
}

fn interrupted() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESTART));
    let sender = good!(signal::sender(Signal::SIGUSR1, 20_000_000, 3));
    let time = [5u64, 0];
    let mut rest = [0u64; 2];
    let (time_at, rest_at) = (time.as_ptr() as usize, rest.as_mut_ptr() as usize);
    fails!(call(__NR_nanosleep, [time_at, rest_at]), EINTR);
    let left = core::hint::black_box(rest);
    check!(left[0] == 4 && left[1] < 990_000_000, "{left:?}");
    fails!(call(__NR_clock_nanosleep, [CLOCK_MONOTONIC as usize, 0, time_at, rest_at]), EINTR);
    let end = good!(now(CLOCK_MONOTONIC)) + 5 * SECOND;
    fails!(sleep(CLOCK_MONOTONIC, ABSTIME, end), EINTR);
    good!(process::wait_for(sender));
    Ok(())
}

fn setting() -> Outcome {
    let start = good!(now(CLOCK_REALTIME));
    let tomorrow = [start / SECOND + 86400, 5];
    let at = tomorrow.as_ptr() as usize;
    let realtime = CLOCK_REALTIME as usize;
    good!(call(__NR_clock_settime, [realtime, at]));
    let after = good!(now(CLOCK_REALTIME));
    check!(after >= start + 86399 * SECOND && after < start + 86500 * SECOND);
    let today = [start / SECOND, start % SECOND / 1000];
    good!(call(__NR_settimeofday, [today.as_ptr() as usize, 0]));
    check!(good!(now(CLOCK_REALTIME)) < start + 100 * SECOND);
    for clock in [CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_TAI, 99] {
        fails!(call(__NR_clock_settime, [clock as usize, at]), EINVAL);
    }
    fails!(call(__NR_clock_settime, [realtime, 8]), EFAULT);
    for bad in [[-1i64, 0], [0, -1], [0, 1_000_000_000], [i64::MAX, 0], [0, 0]] {
        fails!(call(__NR_clock_settime, [realtime, bad.as_ptr() as usize]), EINVAL);
    }
    fails!(call(__NR_settimeofday, [[0i64, 1_000_001].as_ptr() as usize, 0]), EINVAL);
    fails!(call(__NR_settimeofday, [0, [901i32, 0].as_ptr() as usize]), EINVAL);
    fails!(call(__NR_settimeofday, [8, 0]), EFAULT);
    fails!(call(__NR_settimeofday, [0, 8]), EFAULT);
    good!(become_user(1000, 1000));
    fails!(call(__NR_clock_settime, [realtime, at]), EPERM);
    fails!(call(__NR_settimeofday, [at, 0]), EPERM);
    equal!(good!(now(CLOCK_REALTIME)) < start + 100 * SECOND, true);
    Ok(())
}
