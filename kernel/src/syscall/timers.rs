//! Timers that send signals: setitimer, timer_create and their families. Mirrors Linux's `itimer.c` and `posix-timers.c`.

use abi::signal::Signal;
use abi::{Errno, raw};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::SysResult;
use super::layout::{Timespec, Timeval};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::drivers::timer::NSEC_PER_SEC;
use crate::heap;
use crate::task::clock::{Clock, Use};
use crate::task::current;
use crate::task::timers::{Notify, Setting, Which};

/// `struct itimerval`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
struct Itimerval {
    interval: Timeval,
    value: Timeval,
}

/// `struct itimerspec`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
struct Itimerspec {
    interval: Timespec,
    value: Timespec,
}

/// `struct sigevent`, as far as the kernel reads it.
#[repr(C)]
#[derive(Clone, Copy, FromBytes)]
struct Sigevent {
    value: u64,
    signal: i32,
    notify: i32,
    thread: i32,
    rest: [u32; 11],
}

impl Timeval {
    /// From nanoseconds, rounded up so that what is not over is not zero.
    fn from_nanos(nanos: u64) -> Timeval {
        let micros = nanos.div_ceil(1000);
        Timeval { sec: (micros / 1_000_000) as i64, usec: (micros % 1_000_000) as i64 }
    }

    /// In nanoseconds; EINVAL for what is no time.
    fn to_nanos(self) -> Result<u64, Errno> {
        let usec = u64::try_from(self.usec).ok().filter(|usec| *usec < 1_000_000).ok_or(Errno::EINVAL)?;
        let sec = u64::try_from(self.sec).map_err(|_| Errno::EINVAL)?;
        Ok(sec.saturating_mul(NSEC_PER_SEC).saturating_add(usec * 1000))
    }
}

impl From<Setting> for Itimerval {
    fn from(setting: Setting) -> Itimerval {
        let Setting { value, interval } = setting;
        Itimerval { interval: Timeval::from_nanos(interval), value: Timeval::from_nanos(value) }
    }
}

impl From<Setting> for Itimerspec {
    fn from(setting: Setting) -> Itimerspec {
        let Setting { value, interval } = setting;
        Itimerspec { interval: Timespec::from_nanos(interval), value: Timespec::from_nanos(value) }
    }
}

/// `setitimer(2)`. Without a new value the timer is switched off.
pub fn setitimer(frame: &mut TrapFrame) -> SysResult {
    let [which, new, old, ..] = frame.args();
    let new = UserPtr::<Itimerval>::new(new);
    let setting = match new.is_null() {
        true => Setting::default(),
        false => {
            let Itimerval { interval, value } = new.read()?;
            let value = value.to_nanos()?;
            Setting { value, interval: interval.to_nanos()? }
        }
    };
    let which = Which::from_number(which)?;
    let task = current();
    let before = task.process.timers.set_interval(&task, which, setting)?;
    let old = UserPtr::new(old);
    if !old.is_null() {
        old.write(Itimerval::from(before))?;
    }
    Ok(0)
}

/// `getitimer(2)`.
pub fn getitimer(frame: &mut TrapFrame) -> SysResult {
    let [which, to, ..] = frame.args();
    let task = current();
    let setting = task.process.timers.interval(&task, Which::from_number(which)?);
    UserPtr::new(to).write(Itimerval::from(setting))?;
    Ok(0)
}

/// `timer_create(2)`.
pub fn timer_create(frame: &mut TrapFrame) -> SysResult {
    let [clock, event, to, ..] = frame.args();
    let clock = Clock::usable(clock, Use::Timer)?;
    let event = UserPtr::<Sigevent>::new(event);
    let notify = match event.is_null() {
        true => Notify::Signal { signal: Signal::SIGALRM, value: None, thread: false },
        false => notify(&event.read()?)?,
    };
    heap::reserve()?;
    let task = current();
    let limit = task.rlimits.lock()[raw::RLIMIT_SIGPENDING as usize].cur;
    let timers = &task.process.timers;
    let id = timers.create(clock, notify, limit)?;
    if let Err(error) = UserPtr::new(to).write(id as u32) {
        timers.delete(id as u64)?;
        return Err(error);
    }
    Ok(0)
}

/// What an event asks for; EINVAL if it makes no sense.
fn notify(event: &Sigevent) -> Result<Notify, Errno> {
    const SIGEV_SIGNAL: i32 = 0;
    const SIGEV_NONE: i32 = 1;
    const SIGEV_THREAD: i32 = 2;
    const SIGEV_THREAD_ID: i32 = 4;
    let thread = match event.notify {
        SIGEV_NONE => return Ok(Notify::None),
        SIGEV_SIGNAL | SIGEV_THREAD => false,
        SIGEV_THREAD_ID if event.thread as u32 == current().pid() => true,
        _ => return Err(Errno::EINVAL),
    };
    let number = u64::try_from(event.signal).map_err(|_| Errno::EINVAL)?;
    let signal = Signal::new(number).ok_or(Errno::EINVAL)?;
    Ok(Notify::Signal { signal, value: Some(event.value), thread })
}

/// `timer_settime(2)`.
pub fn timer_settime(frame: &mut TrapFrame) -> SysResult {
    let [id, flags, new, old, ..] = frame.args();
    let new = UserPtr::<Itimerspec>::new(new);
    if new.is_null() {
        return Err(Errno::EINVAL);
    }
    let Itimerspec { interval, value } = new.read()?;
    let setting = Setting { interval: interval.to_nanos()?, value: value.to_nanos()? };
    let task = current();
    let absolute = flags as u32 & raw::TIMER_ABSTIME != 0;
    let before = task.process.timers.set(task.pid(), id, setting, absolute)?;
    let old = UserPtr::new(old);
    if !old.is_null() {
        old.write(Itimerspec::from(before))?;
    }
    Ok(0)
}

/// `timer_gettime(2)`.
pub fn timer_gettime(frame: &mut TrapFrame) -> SysResult {
    let [id, to, ..] = frame.args();
    UserPtr::new(to).write(Itimerspec::from(current().process.timers.get(id)?))?;
    Ok(0)
}

/// `timer_getoverrun(2)`.
pub fn timer_getoverrun(frame: &mut TrapFrame) -> SysResult {
    let [id, ..] = frame.args();
    current().process.timers.overruns(id)
}

/// `timer_delete(2)`.
pub fn timer_delete(frame: &mut TrapFrame) -> SysResult {
    let [id, ..] = frame.args();
    current().process.timers.delete(id)?;
    Ok(0)
}
