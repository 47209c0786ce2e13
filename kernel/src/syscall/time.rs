//! Clocks and sleeping.

use abi::{CapSet, Errno, raw};

use super::SysResult;
use super::layout::{Timespec, Timeval};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::drivers::timer::{self, NSEC_PER_SEC};
use crate::sync::IrqMutex;
use crate::task::clock::{Clock, Use};
use crate::task::signal::RestartBlock;
use crate::task::{current, sched};
use crate::wall_clock;

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

/// `clock_settime(2)`: the time of day only.
pub fn clock_settime(frame: &mut TrapFrame) -> SysResult {
    let [clock, from, ..] = frame.args();
    let is_cpu_clock = (clock as i32) < 0;
    if is_cpu_clock {
        Clock::from_id(clock)?;
    } else if clock as u32 != raw::CLOCK_REALTIME {
        return Err(Errno::EINVAL);
    }
    let time = UserPtr::<Timespec>::new(from).read()?;
    if is_cpu_clock {
        return Err(Errno::EPERM);
    }
    set_time_of_day(time)
}

/// Sets the time of day. It does not go back before the machine's start, as on Linux.
fn set_time_of_day(time: Timespec) -> SysResult {
    /// 30 years before the end of Linux's time, so that a machine may go on for so long.
    const LATEST: i64 = i64::MAX / NSEC_PER_SEC as i64 - 30 * 365 * 24 * 3600;
    let nanos = time.to_nanos()?;
    if time.sec >= LATEST {
        return Err(Errno::EINVAL);
    }
    current().require(CapSet::SYS_TIME)?;
    wall_clock::set(nanos)?;
    Ok(0)
}

/// `clock_getres(2)`.
pub fn clock_getres(frame: &mut TrapFrame) -> SysResult {
    let [clock, to, ..] = frame.args();
    Clock::from_id(clock)?;
    let coarse = matches!(clock as u32, raw::CLOCK_REALTIME_COARSE | raw::CLOCK_MONOTONIC_COARSE);
    let to = UserPtr::new(to);
    if !to.is_null() {
        to.write(Timespec::from_nanos(if coarse { timer::TICK_NSEC } else { 1 }))?;
    }
    Ok(0)
}

/// `struct timezone`, which nothing in the kernel depends on: minutes west of Greenwich, and a kind of summer time.
type Timezone = [i32; 2];

/// What was set last.
static TIMEZONE: IrqMutex<Timezone> = IrqMutex::new([0; 2]);

/// `gettimeofday(2)`.
pub fn gettimeofday(frame: &mut TrapFrame) -> SysResult {
    let [to, zone, ..] = frame.args();
    let (to, zone) = (UserPtr::new(to), UserPtr::new(zone));
    if !to.is_null() {
        let now = wall_clock::now();
        to.write(Timeval { sec: (now / NSEC_PER_SEC) as i64, usec: (now % NSEC_PER_SEC / 1000) as i64 })?;
    }
    if !zone.is_null() {
        zone.write(*TIMEZONE.lock())?;
    }
    Ok(0)
}

/// `settimeofday(2)`.
pub fn settimeofday(frame: &mut TrapFrame) -> SysResult {
    const FARTHEST_MINUTES: i32 = 15 * 60;
    let [from, zone, ..] = frame.args();
    let (from, zone) = (UserPtr::<Timeval>::new(from), UserPtr::<Timezone>::new(zone));
    let time = match from.is_null() {
        true => None,
        false => {
            let Timeval { sec, usec } = from.read()?;
            if !(0..=1_000_000).contains(&usec) {
                return Err(Errno::EINVAL);
            }
            Some(Timespec { sec, nsec: usec * 1000 })
        }
    };
    let zone = if zone.is_null() { None } else { Some(zone.read()?) };
    if let Some(time) = time {
        time.to_nanos()?;
    }
    current().require(CapSet::SYS_TIME)?;
    if let Some(zone) = zone {
        if !(-FARTHEST_MINUTES..=FARTHEST_MINUTES).contains(&zone[0]) {
            return Err(Errno::EINVAL);
        }
        *TIMEZONE.lock() = zone;
    }
    time.map_or(Ok(0), set_time_of_day)
}

/// `times(2)`: clock ticks since boot; what the process and its children used, if there is a place for it.
pub fn times(frame: &mut TrapFrame) -> SysResult {
    const TICK: u64 = NSEC_PER_SEC / 100;
    let [to, ..] = frame.args();
    let to = UserPtr::new(to);
    if !to.is_null() {
        let task = current();
        let children = task.children_usage.lock().cpu_time;
        // The kernel's part is not told apart.
        to.write([task.cpu_time() / TICK, 0, children / TICK, 0])?;
    }
    Ok(timer::now() / TICK)
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
    let clock = Clock::usable(clock, Use::Sleep)?;
    let nanos = UserPtr::<Timespec>::new(request).read()?.to_nanos()?;
    let absolute = flags as u32 & raw::TIMER_ABSTIME != 0;
    let now = clock.now();
    match clock.to_monotonic(nanos) {
        None => sleep_on_cpu_clock(&clock, if absolute { nanos } else { now.saturating_add(nanos) }),
        // A time of day stays the same however often the call is made.
        Some(deadline) if absolute => {
            if sched::sleep_until(deadline) {
                Ok(0)
            } else {
                Err(Errno::ERESTARTNOHAND)
            }
        }
        Some(_) => sleep(timer::now().saturating_add(nanos), rest),
    }
}

/// Sleeps until somebody has used so much of the CPU.
fn sleep_on_cpu_clock(clock: &Clock, until: u64) -> SysResult {
    loop {
        let missing = until.saturating_sub(clock.now());
        if missing == 0 {
            return Ok(0);
        }
        if !sched::sleep_until(timer::now().saturating_add(missing)) {
            return Err(Errno::ERESTARTNOHAND);
        }
    }
}
