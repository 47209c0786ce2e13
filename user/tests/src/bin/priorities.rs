//! Nice values, scheduling policies, I/O priorities, CPUs: what is kept, told and refused.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_getcpu, __NR_getpriority, __NR_ioprio_get, __NR_ioprio_set, __NR_prlimit64,
    __NR_sched_get_priority_max, __NR_sched_get_priority_min, __NR_sched_getaffinity, __NR_sched_getattr,
    __NR_sched_getparam, __NR_sched_getscheduler, __NR_sched_rr_get_interval, __NR_sched_setaffinity,
    __NR_sched_setattr, __NR_sched_setparam, __NR_sched_setscheduler, __NR_setpriority,
};
use tests::ids::become_user;
use tests::{Outcome, call, check, equal, fails, good, in_child};

tests::program!(run);

const PROCESS: usize = 0;
const GROUP: usize = 1;
const USER: usize = 2;
const NOBODY: usize = 0x7fff_fffe;
const RESET_ON_FORK: usize = 0x4000_0000;
const OTHER: usize = 0;
const FIFO: usize = 1;
const RR: usize = 2;
const IDLE: usize = 5;

fn nice(value: isize) -> rt::sys::Result {
    call(__NR_setpriority, [PROCESS, 0, value as usize])
}

fn set_policy(policy: usize, priority: i32) -> rt::sys::Result {
    call(__NR_sched_setscheduler, [0, policy, (&raw const priority).addr()])
}

fn run(_: rt::Args) -> Outcome {
    in_child!(nice_values);
    in_child!(policies);
    in_child!(attributes);
    in_child!(ordinary_user);
    in_child!(cpus);
    in_child!(io_priorities);
    Ok(())
}

fn nice_values() -> Outcome {
    equal!(call(__NR_getpriority, [PROCESS, 0]), Ok(20));
    good!(nice(5));
    equal!(call(__NR_getpriority, [PROCESS, 0]), Ok(15));
    in_child!(|| {
        equal!(call(__NR_getpriority, [PROCESS, 0]), Ok(15));
        Ok(())
    });
    good!(nice(-100));
    equal!(call(__NR_getpriority, [PROCESS, 0]), Ok(40));
    good!(nice(100));
    equal!(call(__NR_getpriority, [PROCESS, 0]), Ok(1));
    fails!(call(__NR_getpriority, [3, 0]), EINVAL);
    fails!(call(__NR_setpriority, [usize::MAX, 0, 0]), EINVAL);
    fails!(call(__NR_getpriority, [PROCESS, NOBODY]), ESRCH);
    fails!(call(__NR_setpriority, [GROUP, NOBODY, 0]), ESRCH);
    fails!(call(__NR_setpriority, [USER, 77777, 0]), ESRCH);
    good!(call(__NR_getpriority, [GROUP, 0]));
    good!(call(__NR_getpriority, [USER, 0]));
    Ok(())
}

fn policies() -> Outcome {
    let mut priority = -1i32;
    let to = (&raw mut priority).addr();
    equal!(call(__NR_sched_getscheduler, [0]), Ok(OTHER));
    good!(set_policy(FIFO, 7));
    equal!(call(__NR_sched_getscheduler, [0]), Ok(FIFO));
    good!(call(__NR_sched_getparam, [0, to]));
    equal!(core::hint::black_box(priority), 7);
    let mut interval = [1u64, 1];
    good!(call(__NR_sched_rr_get_interval, [0, interval.as_mut_ptr() as usize]));
    equal!(core::hint::black_box(interval), [0, 0]);
    good!(call(__NR_sched_setparam, [0, [9i32].as_ptr() as usize]));
    fails!(call(__NR_sched_setparam, [0, [0i32].as_ptr() as usize]), EINVAL);
    good!(set_policy(RR | RESET_ON_FORK, 99));
    equal!(call(__NR_sched_getscheduler, [0]), Ok(RR | RESET_ON_FORK));
    in_child!(|| {
        equal!(call(__NR_sched_getscheduler, [0]), Ok(OTHER));
        Ok(())
    });
    good!(set_policy(OTHER, 0));
    fails!(set_policy(FIFO, 0), EINVAL);
    fails!(set_policy(FIFO, 100), EINVAL);
    fails!(set_policy(OTHER, 1), EINVAL);
    fails!(set_policy(4, 0), EINVAL);
    fails!(set_policy(usize::MAX, 0), EINVAL);
    fails!(call(__NR_sched_setscheduler, [0, FIFO, 0]), EINVAL);
    fails!(call(__NR_sched_setscheduler, [0, FIFO, 8]), EFAULT);
    fails!(call(__NR_sched_setscheduler, [usize::MAX, FIFO, to]), EINVAL);
    fails!(call(__NR_sched_getparam, [0, 0]), EINVAL);
    fails!(call(__NR_sched_getparam, [0, 8]), EFAULT);
    for number in [__NR_sched_getscheduler, __NR_sched_getparam, __NR_sched_rr_get_interval] {
        fails!(call(number, [NOBODY, to]), ESRCH);
        fails!(call(number, [usize::MAX, to]), EINVAL);
    }
    for (policy, low, high) in [(OTHER, 0, 0), (FIFO, 1, 99), (RR, 1, 99), (3, 0, 0), (IDLE, 0, 0)] {
        equal!(call(__NR_sched_get_priority_min, [policy]), Ok(low));
        equal!(call(__NR_sched_get_priority_max, [policy]), Ok(high));
    }
    fails!(call(__NR_sched_get_priority_max, [4]), EINVAL);
    fails!(call(__NR_sched_get_priority_min, [usize::MAX]), EINVAL);
    Ok(())
}

fn attributes() -> Outcome {
    // size and policy, flags, nice and priority, three times for deadlines.
    let mut attr = [48u64 | (FIFO as u64) << 32, 1, 5 << 32, 0, 0, 0, 0, 0];
    let at = attr.as_mut_ptr() as usize;
    good!(call(__NR_sched_setattr, [0, core::hint::black_box(at), 0]));
    equal!(call(__NR_sched_getscheduler, [0]), Ok(FIFO | RESET_ON_FORK));
    attr = [u64::MAX; 8];
    let at = attr.as_mut_ptr() as usize;
    good!(call(__NR_sched_getattr, [0, core::hint::black_box(at), 48, 0]));
    let told = core::hint::black_box(attr);
    equal!(told[..3], [48 | (FIFO as u64) << 32, 1, 5 << 32]);
    equal!(told[6], u64::MAX);
    fails!(call(__NR_sched_getattr, [0, at, 47, 0]), EINVAL);
    fails!(call(__NR_sched_getattr, [0, at, 48, 1]), EINVAL);
    fails!(call(__NR_sched_getattr, [0, 0, 48, 0]), EINVAL);
    fails!(call(__NR_sched_getattr, [NOBODY, at, 48, 0]), ESRCH);
    fails!(call(__NR_sched_getattr, [0, 8, 48, 0]), EFAULT);
    fails!(call(__NR_sched_setattr, [0, 0, 0]), EINVAL);
    fails!(call(__NR_sched_setattr, [0, 8, 0]), EFAULT);
    attr = [47, 0, 0, 0, 0, 0, 0, 0];
    fails!(call(__NR_sched_setattr, [0, core::hint::black_box(&attr).as_ptr() as usize, 0]), E2BIG);
    attr = [64, 0, 0, 0, 0, 0, 0, 1];
    fails!(call(__NR_sched_setattr, [0, core::hint::black_box(&attr).as_ptr() as usize, 0]), E2BIG);
    attr = [48, 1 << 40, 0, 0, 0, 0, 0, 0];
    fails!(call(__NR_sched_setattr, [0, core::hint::black_box(&attr).as_ptr() as usize, 0]), EINVAL);
    // Back to the default policy, with a nice value.
    attr = [48, 0, 10, 0, 0, 0, 0, 0];
    good!(call(__NR_sched_setattr, [0, core::hint::black_box(&attr).as_ptr() as usize, 0]));
    equal!(call(__NR_getpriority, [PROCESS, 0]), Ok(10));
    Ok(())
}

fn ordinary_user() -> Outcome {
    const NICE: usize = 13;
    const RTPRIO: usize = 14;
    in_child!(|| {
        good!(become_user(1000, 1000));
        good!(nice(5));
        fails!(nice(4), EACCES);
        fails!(set_policy(FIFO, 1), EPERM);
        good!(set_policy(3, 0));
        good!(set_policy(IDLE, 0));
        fails!(set_policy(OTHER, 0), EPERM);
        fails!(call(__NR_setpriority, [PROCESS, 1, 10]), EPERM);
        fails!(call(__NR_sched_setscheduler, [1, OTHER, [0i32].as_ptr() as usize]), EPERM);
        fails!(call(__NR_sched_setaffinity, [1, 8, [1u64].as_ptr() as usize]), EPERM);
        good!(call(__NR_getpriority, [PROCESS, 1]));
        good!(call(__NR_sched_getscheduler, [1]));
        Ok(())
    });
    good!(call(__NR_prlimit64, [0, NICE, [25u64, 25].as_ptr() as usize, 0]));
    good!(call(__NR_prlimit64, [0, RTPRIO, [10u64, 10].as_ptr() as usize, 0]));
    good!(become_user(1000, 1000));
    good!(nice(-5));
    fails!(nice(-6), EACCES);
    good!(set_policy(FIFO, 10));
    fails!(set_policy(FIFO, 11), EPERM);
    good!(set_policy(OTHER | RESET_ON_FORK, 0));
    fails!(set_policy(OTHER, 0), EPERM);
    Ok(())
}

fn cpus() -> Outcome {
    let mut mask = [0u64; 16];
    let at = mask.as_mut_ptr() as usize;
    let size = good!(call(__NR_sched_getaffinity, [0, 128, at]));
    check!((8..=128).contains(&size) && size.is_multiple_of(8), "{size}");
    equal!(core::hint::black_box(mask)[0] & 1, 1);
    fails!(call(__NR_sched_getaffinity, [0, 0, at]), EINVAL);
    fails!(call(__NR_sched_getaffinity, [0, 12, at]), EINVAL);
    fails!(call(__NR_sched_getaffinity, [0, 128, 8]), EFAULT);
    fails!(call(__NR_sched_getaffinity, [NOBODY, 128, at]), ESRCH);
    good!(call(__NR_sched_setaffinity, [0, size, at]));
    fails!(call(__NR_sched_setaffinity, [0, 8, [0u64].as_ptr() as usize]), EINVAL);
    fails!(call(__NR_sched_setaffinity, [0, 8, 8]), EFAULT);
    fails!(call(__NR_sched_setaffinity, [NOBODY, 8, [1u64].as_ptr() as usize]), ESRCH);
    let mut where_now = [7u32; 2];
    let to = where_now.as_mut_ptr() as usize;
    good!(call(__NR_getcpu, [to, to + 4, 0]));
    equal!(core::hint::black_box(where_now), [0, 0]);
    good!(call(__NR_getcpu, [0, 0, 0]));
    fails!(call(__NR_getcpu, [8, 0, 0]), EFAULT);
    Ok(())
}

fn io_priorities() -> Outcome {
    const BEST_EFFORT_3: usize = 2 << 13 | 3;
    const REAL_TIME_3: usize = 1 << 13 | 3;
    good!(call(__NR_ioprio_set, [1, 0, BEST_EFFORT_3]));
    equal!(call(__NR_ioprio_get, [1, 0]), Ok(BEST_EFFORT_3));
    fails!(call(__NR_ioprio_set, [1, 0, 1]), EINVAL);
    fails!(call(__NR_ioprio_set, [1, 0, 4 << 13]), EINVAL);
    fails!(call(__NR_ioprio_set, [0, 0, BEST_EFFORT_3]), EINVAL);
    fails!(call(__NR_ioprio_get, [4, 0]), EINVAL);
    fails!(call(__NR_ioprio_get, [1, NOBODY]), ESRCH);
    good!(call(__NR_ioprio_set, [1, 0, REAL_TIME_3]));
    good!(become_user(1000, 1000));
    fails!(call(__NR_ioprio_set, [1, 0, REAL_TIME_3]), EPERM);
    fails!(call(__NR_ioprio_set, [1, 1, BEST_EFFORT_3]), EPERM);
    Ok(())
}
