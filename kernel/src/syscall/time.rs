//! Clocks and sleeping.

use abi::{Errno, raw};

use super::SysResult;
use super::layout::{Timespec, Timeval};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::drivers::timer::{self, NSEC_PER_SEC};
use crate::task::signal::RestartBlock;
use crate::task::{current, sched};
use crate::wall_clock;

/// Which clock a number names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// Seconds since 1970.
    Realtime,
    /// Time since boot; the machine never sleeps, so one clock does for Linux's three.
    Monotonic,
    /// What the process has used.
    Cpu,
}

impl Clock {
    fn from_id(id: u64) -> Result<Clock, Errno> {
        match id as u32 {
            raw::CLOCK_REALTIME | raw::CLOCK_REALTIME_COARSE | raw::CLOCK_TAI => Ok(Clock::Realtime),
            raw::CLOCK_MONOTONIC
            | raw::CLOCK_MONOTONIC_RAW
            | raw::CLOCK_MONOTONIC_COARSE
            | raw::CLOCK_BOOTTIME => Ok(Clock::Monotonic),
            raw::CLOCK_PROCESS_CPUTIME_ID | raw::CLOCK_THREAD_CPUTIME_ID => Ok(Clock::Cpu),
            _ => Err(Errno::EINVAL),
        }
    }

    fn now(self) -> u64 {
        match self {
            Clock::Realtime => wall_clock::now(),
            Clock::Monotonic => timer::now(),
            Clock::Cpu => current().cpu_time(),
        }
    }
}

impl Timespec {
    /// From nanoseconds.
    pub fn from_nanos(nanos: u64) -> Timespec {
        Timespec { sec: (nanos / NSEC_PER_SEC) as i64, nsec: (nanos % NSEC_PER_SEC) as i64 }
    }

    /// In nanoseconds; EINVAL for what is no time. A time beyond 584 years is as good as the end of them.
    pub fn to_nanos(self) -> Result<u64, Errno> {
        let sec = u64::try_from(self.sec).map_err(|_| Errno::EINVAL)?;
        let nsec = u64::try_from(self.nsec).ok().filter(|&nsec| nsec < NSEC_PER_SEC).ok_or(Errno::EINVAL)?;
        Ok(sec.saturating_mul(NSEC_PER_SEC).saturating_add(nsec))
    }
}

/// `clock_gettime(2)`.
pub fn clock_gettime(frame: &mut TrapFrame) -> SysResult {
    let [clock, to, ..] = frame.args();
    let now = Clock::from_id(clock)?.now();
    UserPtr::new(to).write(Timespec::from_nanos(now))?;
    Ok(0)
}

/// `clock_getres(2)`.
pub fn clock_getres(frame: &mut TrapFrame) -> SysResult {
    let [clock, to, ..] = frame.args();
    Clock::from_id(clock)?;
    let to = UserPtr::new(to);
    if !to.is_null() {
        to.write(Timespec { sec: 0, nsec: 1 })?;
    }
    Ok(0)
}

/// `gettimeofday(2)`; the time zone is always UTC.
pub fn gettimeofday(frame: &mut TrapFrame) -> SysResult {
    let [to, zone, ..] = frame.args();
    let (to, zone) = (UserPtr::new(to), UserPtr::new(zone));
    if !to.is_null() {
        let now = wall_clock::now();
        to.write(Timeval { sec: (now / NSEC_PER_SEC) as i64, usec: (now % NSEC_PER_SEC / 1000) as i64 })?;
    }
    if !zone.is_null() {
        zone.write([0u32; 2])?;
    }
    Ok(0)
}

/// Sleeps until the clock since boot reaches `deadline`. What is left when a signal comes is stored at `rest`, if that is
/// given, and the call goes on to the same time if no handler comes.
fn sleep(deadline: u64, rest: u64) -> SysResult {
    if sched::sleep_until(deadline) {
        return Ok(0);
    }
    let to = UserPtr::new(rest);
    if !to.is_null() {
        to.write(Timespec::from_nanos(deadline.saturating_sub(timer::now())))?;
    }
    let call = |[deadline, rest, ..]: [u64; 4]| sleep(deadline, rest);
    Err(RestartBlock { call, data: [deadline, rest, 0, 0] }.interrupt())
}

/// `nanosleep(2)`.
pub fn nanosleep(frame: &mut TrapFrame) -> SysResult {
    let [request, rest, ..] = frame.args();
    let nanos = UserPtr::<Timespec>::new(request).read()?.to_nanos()?;
    sleep(timer::now().saturating_add(nanos), rest)
}

/// `clock_nanosleep(2)`.
pub fn clock_nanosleep(frame: &mut TrapFrame) -> SysResult {
    let [clock, flags, request, rest, ..] = frame.args();
    let clock = Clock::from_id(clock)?;
    if clock == Clock::Cpu {
        return Err(Errno::EOPNOTSUPP);
    }
    let nanos = UserPtr::<Timespec>::new(request).read()?.to_nanos()?;
    if flags as u32 & raw::TIMER_ABSTIME == 0 {
        return sleep(timer::now().saturating_add(nanos), rest);
    }
    let deadline = timer::now().saturating_add(nanos.saturating_sub(clock.now()));
    // A time of day stays the same however often the call is made.
    if sched::sleep_until(deadline) { Ok(0) } else { Err(Errno::ERESTARTNOHAND) }
}
