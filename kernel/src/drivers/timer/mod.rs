//! Time: the monotonic clock, one-shot timers and the scheduler's tick, from the generic timer.
//!
//! The virtual counter and timer are used: they are there at EL1 under every hypervisor, and
//! entering at EL2 sets their offset to zero. One comparator per CPU serves everything: it is set to
//! the nearer of the next tick and the first one-shot deadline. Mirrors
//! `drivers/clocksource/arm_arch_timer.c` and, very small, `kernel/time/hrtimer.c`.

mod queue;

use crate::arch::barrier;
use crate::cmdline;
use crate::irq;
use crate::platform::Irq;
use crate::sync::IrqMutex;
use aarch64_cpu::registers::{
    CNTFRQ_EL0, CNTKCTL_EL1, CNTV_CTL_EL0, CNTV_CVAL_EL0, ReadWriteable, Readable, Writeable,
};
use abi::Errno;
use core::sync::atomic::{AtomicU64, Ordering};
use queue::Queue;
pub use queue::{Callback, TimerId};

/// Nanoseconds in a second.
pub const NSEC_PER_SEC: u64 = 1_000_000_000;

/// Ticks per second, unless `hz=` on the command line says otherwise.
const HZ: u64 = 100;
/// Most that it may say.
const HZ_MAX: u64 = 1000;

/// Time between two ticks, as programs are told.
pub const TICK_NSEC: u64 = NSEC_PER_SEC / HZ;

/// Fixed-point shift of the clock's factors.
const SHIFT: u32 = 32;

/// Nanoseconds per count of the counter, times 2^32.
static COUNT_TO_NS: AtomicU64 = AtomicU64::new(0);

/// Counts per nanosecond, times 2^32.
static NS_TO_COUNT: AtomicU64 = AtomicU64::new(0);

/// What the comparator waits for.
struct Events {
    timers: Queue,
    /// When the next tick is due, once [`start_tick`] was called.
    tick: Option<Tick>,
}

#[derive(Clone, Copy)]
struct Tick {
    next: u64,
    period: u64,
    hook: fn(),
}

static EVENTS: IrqMutex<Events> = IrqMutex::new(Events { timers: Queue::new(), tick: None });

/// Sets the clock going, takes over the timer's interrupt and lets EL0 read the virtual counter.
///
/// ENODEV when firmware left the counter's frequency unset.
pub fn init(timer_irq: Irq) -> Result<(), Errno> {
    let frequency = CNTFRQ_EL0.get();
    if frequency == 0 || frequency > NSEC_PER_SEC << 2 {
        return Err(Errno::ENODEV);
    }
    COUNT_TO_NS.store((NSEC_PER_SEC << SHIFT) / frequency, Ordering::Relaxed);
    NS_TO_COUNT.store((frequency << SHIFT) / NSEC_PER_SEC, Ordering::Relaxed);
    CNTV_CTL_EL0.write(CNTV_CTL_EL0::ENABLE::CLEAR);
    CNTKCTL_EL1.modify(CNTKCTL_EL1::EL0VCTEN::SET);
    irq::request_irq(timer_irq, handle_interrupt, 0)
}

/// Nanoseconds since the counter started, which is when the machine did. Never goes back; good for
/// 584 years. Zero before [`init`].
pub fn now() -> u64 {
    scale(barrier::counter(), COUNT_TO_NS.load(Ordering::Relaxed))
}

/// `value * factor / 2^32` without losing the product's upper half.
fn scale(value: u64, factor: u64) -> u64 {
    ((u128::from(value) * u128::from(factor)) >> SHIFT) as u64
}

/// Calls `callback(data)` once, in interrupt context, when [`now`] has reached `deadline`.
///
/// A deadline in the past fires at once. ENOMEM when there is no memory for one more timer.
pub fn arm(deadline: u64, callback: Callback, data: u64) -> Result<TimerId, Errno> {
    let mut events = EVENTS.lock();
    let id = events.timers.insert(deadline, callback, data)?;
    program(&events);
    Ok(id)
}

/// Forgets a timer. Whether it was still to come: if not, its callback has run or is running.
pub fn cancel(id: TimerId) -> bool {
    // The comparator may now fire for nothing, once: cheaper than setting it anew each time.
    EVENTS.lock().timers.remove(id)
}

/// Calls `hook` [`HZ`] times a second in interrupt context from now on, or as often as the command line says.
pub fn start_tick(hook: fn()) {
    let hz = cmdline::get("hz").and_then(|hz| hz.parse().ok()).unwrap_or(HZ).clamp(1, HZ_MAX);
    let period = NSEC_PER_SEC / hz;
    let mut events = EVENTS.lock();
    events.tick = Some(Tick { next: now() + period, period, hook });
    program(&events);
}

/// Sets the comparator to the first event, or turns the timer off when there is none.
fn program(events: &Events) {
    let tick = events.tick.map(|tick| tick.next);
    let first = match (events.timers.first_deadline(), tick) {
        (Some(timer), Some(tick)) => timer.min(tick),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => {
            CNTV_CTL_EL0.write(CNTV_CTL_EL0::ENABLE::CLEAR);
            return;
        }
    };
    // Relative to now, so that the factor's rounding does not grow with uptime; one count later than
    // the quotient, which is rounded down: firing early would fire twice.
    let delta = first.saturating_sub(now());
    let counts = scale(delta, NS_TO_COUNT.load(Ordering::Relaxed)).saturating_add(1);
    CNTV_CVAL_EL0.set(barrier::counter().saturating_add(counts));
    CNTV_CTL_EL0.write(CNTV_CTL_EL0::ENABLE::SET + CNTV_CTL_EL0::IMASK::CLEAR);
    barrier::isb();
}

/// Runs what is due. The callbacks run without the lock: they wake tasks and arm timers.
fn handle_interrupt(_: usize) {
    loop {
        let time = now();
        let mut events = EVENTS.lock();
        let due = events.timers.pop_due(time);
        let tick = match &mut events.tick {
            Some(tick) if tick.next <= time => {
                // Ticks that were missed while interrupts were masked are not made up for.
                tick.next = (tick.next + tick.period).max(time + 1);
                Some(tick.hook)
            }
            _ => None,
        };
        if due.is_none() && tick.is_none() {
            program(&events);
            return;
        }
        drop(events);
        if let Some((callback, data)) = due {
            callback(data);
        }
        if let Some(hook) = tick {
            hook();
        }
    }
}
