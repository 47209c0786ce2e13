//! Timers that send signals: the three of `setitimer(2)`, those of `timer_create(2)`, and the limit on CPU time. Mirrors
//! Linux's `itimer.c`, `posix-timers.c` and `posix-cpu-timers.c`.
//!
//! A timer of a clock that always runs is armed with the machine's timer; one that counts CPU time is looked at by each tick
//! that finds its process running. Both happen in interrupt context. Signals are sent with the lock of the timers released,
//! as whoever takes a signal out comes here with the lock of the signals released.

use abi::signal::{SigInfo, Signal, code};
use abi::{Errno, raw};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use super::clock::Clock;
use super::signal::{SignalTarget, kernel_signal, send};
use super::{Pid, Task, current, table};
use crate::drivers::timer::{self, NSEC_PER_SEC, TimerId};
use crate::sync::IrqMutex;

/// A timer that fires again and again does so no more often than this, so that the machine gets something else done.
const SHORTEST: u64 = 50_000;

/// Value and interval of a timer in nanoseconds; a value of 0 is a timer that is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Time to the next expiry.
    pub value: u64,
    /// Time from there to the one after, or 0.
    pub interval: u64,
}

/// One that counts down.
#[derive(Default)]
struct Countdown {
    /// When it expires, on its own clock; 0 if it is off.
    deadline: u64,
    interval: u64,
    armed: Option<TimerId>,
}

impl Countdown {
    fn is_due(&self, now: u64) -> bool {
        self.deadline != 0 && self.deadline <= now
    }

    /// It is due: goes on to the next expiry after `now`. How many there were.
    fn advance(&mut self, now: u64) -> u64 {
        if self.interval == 0 {
            self.deadline = 0;
            return 1;
        }
        let passed = (now - self.deadline) / self.interval + 1;
        self.deadline = self.deadline.saturating_add(passed.saturating_mul(self.interval));
        passed
    }

    /// What is left.
    fn setting(&self, now: u64) -> Setting {
        let value = match self.deadline {
            0 => 0,
            // Due, and about to be seen: not yet off.
            deadline => deadline.saturating_sub(now).max(1),
        };
        Setting { value, interval: self.interval }
    }

    /// Starts, or stops with a value of 0. `now` is 0 for a value that is a time on the clock.
    fn start(&mut self, setting: Setting, now: u64) {
        self.stop();
        self.deadline = if setting.value == 0 { 0 } else { now.saturating_add(setting.value).max(1) };
        self.interval = setting.interval;
    }

    fn stop(&mut self) {
        if let Some(id) = self.armed.take() {
            timer::cancel(id);
        }
        self.deadline = 0;
    }

    /// Lets the machine's timer call `callback(data)` when the clock since boot reaches `at`.
    fn arm(&mut self, at: u64, callback: timer::Callback, data: u64) -> Result<(), Errno> {
        if let Some(id) = self.armed.take() {
            timer::cancel(id);
        }
        self.armed = Some(timer::arm(at, callback, data)?);
        Ok(())
    }
}

/// Which of the three interval timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Counts real time; SIGALRM.
    Real = 0,
    /// Counts the process's time; SIGVTALRM. User and kernel are not told apart.
    Virtual = 1,
    /// The same; SIGPROF.
    Prof = 2,
}

impl Which {
    /// EINVAL for what is none.
    pub fn from_number(number: u64) -> Result<Which, Errno> {
        match number as u32 {
            raw::ITIMER_REAL => Ok(Which::Real),
            raw::ITIMER_VIRTUAL => Ok(Which::Virtual),
            raw::ITIMER_PROF => Ok(Which::Prof),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// What a POSIX timer does when it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Nothing: it is read.
    None,
    /// Sends a signal with a value.
    Signal {
        /// The signal.
        signal: Signal,
        /// What the program wants to be told; the timer's number if it has not said.
        value: Option<u64>,
        /// To whom.
        thread: bool,
    },
}

struct PosixTimer {
    clock: Clock,
    notify: Notify,
    countdown: Countdown,
    /// Expiries since its signal was sent, which waits still.
    overruns: u64,
    /// Those that the last delivered signal told of.
    last_overruns: u64,
}

#[derive(Default)]
struct State {
    interval: [Countdown; 3],
    posix: Vec<Option<PosixTimer>>,
}

impl State {
    fn get(&mut self, id: u64) -> Result<&mut PosixTimer, Errno> {
        let at = usize::try_from(id as i32).map_err(|_| Errno::EINVAL)?;
        self.posix.get_mut(at).and_then(Option::as_mut).ok_or(Errno::EINVAL)
    }

    fn counts_cpu_time(&self) -> bool {
        let interval = self.interval[1..].iter().any(|timer| timer.deadline != 0);
        let is_on =
            |timer: &PosixTimer| matches!(timer.clock, Clock::Cpu(_)) && timer.countdown.deadline != 0;
        interval || self.posix.iter().flatten().any(is_on)
    }
}

/// The timers of a process.
#[derive(Default)]
pub struct Timers {
    /// `None` until it has one, as most processes never have.
    state: IrqMutex<Option<Box<State>>>,
    /// Whether there ever was one.
    used: AtomicBool,
    /// Whether one of them counts CPU time, so that ticks have to look.
    counts_cpu_time: AtomicBool,
}

/// A timer's place in the machine's word for a callback.
fn callback_data(pid: Pid, index: usize) -> u64 {
    u64::from(pid) << 32 | index as u64
}

impl Timers {
    /// Sets an interval timer of the process `pid`, whose CPU time is `cpu_time`; what it was.
    pub fn set_interval(&self, task: &Task, which: Which, new: Setting) -> Result<Setting, Errno> {
        let now = if which == Which::Real { timer::now() } else { task.cpu_time() };
        let mut state = self.state.lock();
        self.used.store(true, Ordering::Relaxed);
        let state = state.get_or_insert_default();
        let countdown = &mut state.interval[which as usize];
        let old = countdown.setting(now);
        countdown.start(new, now);
        if which == Which::Real && countdown.deadline != 0 {
            let at = countdown.deadline;
            countdown.arm(at, fire_interval, callback_data(task.pid(), 0))?;
        }
        self.counts_cpu_time.store(state.counts_cpu_time(), Ordering::Relaxed);
        Ok(old)
    }

    /// What is left of an interval timer.
    pub fn interval(&self, task: &Task, which: Which) -> Setting {
        let now = if which == Which::Real { timer::now() } else { task.cpu_time() };
        self.state
            .lock()
            .as_ref()
            .map_or(Setting::default(), |state| state.interval[which as usize].setting(now))
    }

    /// Makes a POSIX timer. Its number, the lowest free one; EAGAIN with as many as `limit` allows.
    pub fn create(&self, clock: Clock, notify: Notify, limit: u64) -> Result<usize, Errno> {
        let mut state = self.state.lock();
        self.used.store(true, Ordering::Relaxed);
        let state = state.get_or_insert_default();
        let at = state.posix.iter().position(Option::is_none).unwrap_or(state.posix.len());
        if at as u64 >= limit {
            return Err(Errno::EAGAIN);
        }
        let timer =
            PosixTimer { clock, notify, countdown: Countdown::default(), overruns: 0, last_overruns: 0 };
        if at == state.posix.len() {
            state.posix.try_reserve(1).map_err(|_| Errno::EAGAIN)?;
            state.posix.push(None);
        }
        state.posix[at] = Some(timer);
        Ok(at)
    }

    /// Removes a POSIX timer, or EINVAL.
    pub fn delete(&self, id: u64) -> Result<(), Errno> {
        let mut guard = self.state.lock();
        let state = guard.as_mut().ok_or(Errno::EINVAL)?;
        state.get(id)?.countdown.stop();
        let gone = state.posix[id as usize].take();
        self.counts_cpu_time.store(state.counts_cpu_time(), Ordering::Relaxed);
        drop(guard);
        // It may hold the last reference to a task.
        drop(gone);
        Ok(())
    }

    /// Sets a POSIX timer of process `pid`; what it was. An absolute value is a time on its clock.
    pub fn set(&self, pid: Pid, id: u64, new: Setting, absolute: bool) -> Result<Setting, Errno> {
        let mut state = self.state.lock();
        let state = state.as_mut().ok_or(Errno::EINVAL)?;
        let timer = state.get(id)?;
        let now = timer.clock.now();
        let due = timer.countdown.is_due(now);
        let old = timer.countdown.setting(now);
        timer.countdown.start(new, if absolute { 0 } else { now });
        timer.overruns = 0;
        timer.last_overruns = 0;
        timer.arm(pid, id as usize)?;
        self.counts_cpu_time.store(state.counts_cpu_time(), Ordering::Relaxed);
        Ok(if due && old.interval == 0 { Setting::default() } else { old })
    }

    /// What is left of a POSIX timer. One that is only read goes on by itself.
    pub fn get(&self, id: u64) -> Result<Setting, Errno> {
        let mut state = self.state.lock();
        let timer = state.as_mut().ok_or(Errno::EINVAL)?.get(id)?;
        let now = timer.clock.now();
        if timer.notify == Notify::None && timer.countdown.is_due(now) {
            timer.countdown.advance(now);
        }
        Ok(timer.countdown.setting(now))
    }

    /// How often it had expired more than once when its last signal was delivered.
    pub fn overruns(&self, id: u64) -> Result<u64, Errno> {
        let mut state = self.state.lock();
        Ok(state.as_mut().ok_or(Errno::EINVAL)?.get(id)?.last_overruns.min(i32::MAX as u64))
    }

    /// A signal is about to be delivered: one of a timer tells how often that has expired.
    pub fn delivered(&self, info: SigInfo) -> SigInfo {
        if info.code != code::SI_TIMER {
            return info;
        }
        let mut state = self.state.lock();
        match state.as_mut().map(|state| state.get(info.timer_id().into())) {
            Some(Ok(timer)) => {
                timer.last_overruns = core::mem::take(&mut timer.overruns);
                info.with_overrun(timer.last_overruns.min(i32::MAX as u64) as u32)
            }
            _ => info,
        }
    }

    /// For a new program: the POSIX timers go, the others stay.
    pub fn exec(&self) {
        if !self.used.load(Ordering::Relaxed) {
            return;
        }
        let gone = self.state.lock().as_mut().map(|state| {
            state.posix.iter_mut().flatten().for_each(|timer| timer.countdown.stop());
            core::mem::take(&mut state.posix)
        });
        drop(gone);
    }

    /// The process ends.
    pub fn exit(&self) {
        if !self.used.load(Ordering::Relaxed) {
            return;
        }
        self.exec();
        let gone = self.state.lock().take();
        self.counts_cpu_time.store(false, Ordering::Relaxed);
        if let Some(mut state) = gone {
            state.interval.iter_mut().for_each(Countdown::stop);
        }
    }
}

impl PosixTimer {
    /// Lets the machine's timer announce the next expiry, unless the clock stands still at times or nobody wants to know.
    fn arm(&mut self, pid: Pid, id: usize) -> Result<(), Errno> {
        if self.countdown.deadline == 0 || self.notify == Notify::None {
            return Ok(());
        }
        match self.clock.to_monotonic(self.countdown.deadline) {
            Some(at) => self.countdown.arm(at, fire_posix, callback_data(pid, id)),
            None => Ok(()),
        }
    }

    /// It has expired `times` times. The signal to send, unless one waits already.
    fn expired(&mut self, id: usize, times: u64, waits: bool) -> Option<(SigInfo, SignalTarget)> {
        let Notify::Signal { signal, value, thread } = self.notify else { return None };
        if waits {
            self.overruns = self.overruns.saturating_add(times);
            return None;
        }
        self.overruns = times - 1;
        let value = value.unwrap_or(id as u64);
        let target = if thread { SignalTarget::Thread } else { SignalTarget::Process };
        Some((SigInfo::timer(signal, id as u32, 0, value), target))
    }
}

/// The machine's timer for an ITIMER_REAL. In interrupt context.
fn fire_interval(data: u64) {
    let pid = (data >> 32) as Pid;
    let Some(task) = table::find(pid) else { return };
    let now = timer::now();
    {
        let mut state = task.process.timers.state.lock();
        let Some(state) = state.as_mut() else { return };
        let countdown = &mut state.interval[Which::Real as usize];
        if !countdown.is_due(now) {
            return;
        }
        countdown.armed = None;
        countdown.advance(now);
        if countdown.deadline != 0 {
            let at = countdown.deadline.max(now + SHORTEST);
            // Without memory for the next it ends here.
            let _ = countdown.arm(at, fire_interval, data);
        }
    }
    kernel_signal(pid, SigInfo::kernel(Signal::SIGALRM));
}

/// The machine's timer for a POSIX timer. In interrupt context.
fn fire_posix(data: u64) {
    let (pid, id) = ((data >> 32) as Pid, data as u32 as usize);
    let Some(task) = table::find(pid) else { return };
    let waits = task.timer_signal_waits(id as u32);
    let signal = {
        let mut state = task.process.timers.state.lock();
        let Some(Ok(timer)) = state.as_mut().map(|state| state.get(id as u64)) else { return };
        let now = timer.clock.now();
        if !timer.countdown.is_due(now) {
            // Somebody has set it, or the clock, meanwhile.
            let _ = timer.arm(pid, id);
            return;
        }
        timer.countdown.armed = None;
        let times = timer.countdown.advance(now);
        if timer.countdown.deadline != 0
            && let Some(at) = timer.clock.to_monotonic(timer.countdown.deadline)
        {
            let _ = timer.countdown.arm(at.max(timer::now() + SHORTEST), fire_posix, data);
        }
        timer.expired(id, times, waits)
    };
    if let Some((info, target)) = signal {
        let _ = send(&task, info, target);
    }
}

/// A tick finds this process running: the timers that count its time, and the limit on that. In interrupt context.
pub(super) fn tick() {
    let task = current();
    if !task.is_user() {
        return;
    }
    let task = task.arc();
    check_cpu_limit(&task);
    if task.process.timers.counts_cpu_time.load(Ordering::Relaxed) {
        check_cpu_timers(&task);
    }
}

fn check_cpu_timers(task: &Arc<Task>) {
    let timers = &task.process.timers;
    let now = task.cpu_time();
    for (which, signal) in [(Which::Virtual, Signal::SIGVTALRM), (Which::Prof, Signal::SIGPROF)] {
        let due = {
            let mut state = timers.state.lock();
            let Some(state) = state.as_mut() else { return };
            let countdown = &mut state.interval[which as usize];
            let due = countdown.is_due(now);
            if due {
                countdown.advance(now);
            }
            due
        };
        if due {
            let _ = send(task, SigInfo::kernel(signal), SignalTarget::Process);
        }
    }
    let count = timers.state.lock().as_ref().map_or(0, |state| state.posix.len());
    for id in 0..count {
        let waits = task.timer_signal_waits(id as u32);
        let mut state = timers.state.lock();
        let timer = state.as_mut().and_then(|state| state.posix.get_mut(id)).and_then(Option::as_mut);
        let signal = match timer {
            Some(timer) if matches!(timer.clock, Clock::Cpu(_)) => {
                let now = timer.clock.now();
                if timer.countdown.is_due(now) {
                    let times = timer.countdown.advance(now);
                    timer.expired(id, times, waits)
                } else {
                    None
                }
            }
            _ => None,
        };
        drop(state);
        if let Some((info, target)) = signal {
            let _ = send(task, info, target);
        }
    }
}

/// RLIMIT_CPU: SIGXCPU each second beyond the soft limit, SIGKILL at the hard one.
fn check_cpu_limit(task: &Arc<Task>) {
    let signal = {
        let mut limits = task.rlimits.lock();
        let limit = &mut limits[raw::RLIMIT_CPU as usize];
        if limit.cur == u64::MAX && limit.max == u64::MAX {
            return;
        }
        let seconds = task.cpu_time() / NSEC_PER_SEC;
        if seconds >= limit.max {
            Signal::SIGKILL
        } else if seconds >= limit.cur {
            // The next one comes a second later, as on Linux.
            limit.cur += 1;
            Signal::SIGXCPU
        } else {
            return;
        }
    };
    let _ = send(task, SigInfo::kernel(signal), SignalTarget::Process);
}
