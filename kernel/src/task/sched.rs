//! Round robin on one CPU: the run queue, sleeping, waking, the tick, idling.
//!
//! The kernel is not preempted; a program is, on its way back to EL0, when `NEED_RESCHED` is set. Lock
//! order: a wait queue's lock is taken before the run queue's. Mirrors `kernel/sched/core.c`.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::Errno;
use spin::Once;

use super::load;
use super::{NEED_RESCHED, RunState, Task, current, timers, user_mm};
use crate::arch::{barrier, switch};
use crate::drivers::timer;
use crate::sync::IrqMutex;

/// Tasks that want to run and do not; the head is next.
static RUN_QUEUE: IrqMutex<VecDeque<Arc<Task>>> = IrqMutex::new(VecDeque::new());

/// Switches from one task to another.
static SWITCHES: AtomicU64 = AtomicU64::new(0);

/// What runs when nothing wants to.
static IDLE: Once<Arc<Task>> = Once::new();

/// Makes the boot context the idle task, so that others can be switched to.
pub fn init() {
    switch::adopt(IDLE.call_once(Task::new_idle).clone());
}

/// Makes room for `tasks` in the run queue, so that waking never allocates.
pub(super) fn reserve(tasks: usize) -> Result<(), Errno> {
    let mut queue = RUN_QUEUE.lock();
    let more = tasks.saturating_sub(queue.len());
    queue.try_reserve(more).map_err(|_| Errno::ENOMEM)
}

/// Lets a new task run for the first time.
pub(super) fn start(task: &Arc<Task>) {
    wake(task);
}

/// Gives the CPU to the next task that wants it. Returns when the caller is given it again: at once if
/// it is runnable and alone, after a [`wake`] if it is blocked, never if it is dead.
pub fn schedule() {
    let flags = barrier::irq_save();
    let prev = current();
    let next = {
        let mut queue = RUN_QUEUE.lock();
        prev.work.fetch_and(!NEED_RESCHED, Ordering::Relaxed);
        if prev.state() == RunState::Running && !prev.is_idle() {
            if queue.is_empty() {
                None
            } else {
                queue.push_back(prev.arc());
                queue.pop_front()
            }
        } else {
            queue.pop_front().or_else(|| IDLE.get().cloned())
        }
    };
    if let Some(next) = next
        && !core::ptr::eq(&*next, &*prev)
    {
        let now = timer::now();
        prev.count_switch();
        // Changed with interrupts masked, on the one CPU that there is.
        SWITCHES.store(SWITCHES.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        prev.note_preemption();
        prev.end_turn(now);
        next.begin_turn(now);
        user_mm::switch_mm(&next);
        switch::switch_to(next);
    }
    barrier::irq_restore(flags);
}

/// [`schedule`] for a task that is to be woken when the clock reaches `deadline`, if nothing else wakes it
/// before. Whether the deadline has passed.
pub fn schedule_until(deadline: u64) -> bool {
    let task = current();
    match timer::arm(deadline, wake_by_pid, task.pid().into()) {
        Ok(id) => {
            schedule();
            timer::cancel(id);
        }
        // No memory for a timer: stay runnable and look at the clock.
        Err(_) => {
            stay_runnable(&task);
            schedule();
        }
    }
    timer::now() >= deadline
}

/// Sleeps until the clock reaches `deadline`, or until a signal comes. Whether the deadline has passed.
pub fn sleep_until(deadline: u64) -> bool {
    let task = current();
    while timer::now() < deadline {
        prepare_to_block(&task);
        if task.signal_pending() {
            stay_runnable(&task);
            return false;
        }
        schedule_until(deadline);
        stay_runnable(&task);
    }
    true
}

/// The timer's call for a sleeper. One that is gone or awake already is none of its business.
fn wake_by_pid(pid: u64) {
    if let Some(task) = u32::try_from(pid).ok().and_then(super::table::find) {
        wake(&task);
    }
}

/// The current task sleeps at its next [`schedule`], unless a [`wake`] comes before.
pub fn prepare_to_block(task: &Task) {
    task.set_state(RunState::Blocked);
}

/// Takes [`prepare_to_block`] back, or notes that the sleep is over.
pub fn stay_runnable(task: &Task) {
    let _queue = RUN_QUEUE.lock();
    task.set_state(RunState::Running);
}

/// Makes a blocked task runnable; false if it was not blocked. May be called from an interrupt handler.
pub fn wake(task: &Arc<Task>) -> bool {
    let mut queue = RUN_QUEUE.lock();
    if task.state() != RunState::Blocked {
        return false;
    }
    task.set_state(RunState::Running);
    // One that has not reached `schedule` yet just goes on.
    if !task.on_cpu() {
        // Has room: see `reserve`.
        queue.push_back(task.clone());
    }
    true
}

/// Makes a stopped task runnable. May be called from an interrupt handler.
pub(super) fn resume(task: &Arc<Task>) {
    let mut queue = RUN_QUEUE.lock();
    if task.state() == RunState::Stopped {
        task.set_state(RunState::Running);
        // As in `wake`.
        if !task.on_cpu() {
            queue.push_back(task.clone());
        }
    }
}

/// The clock's regular call, in interrupt context: the time of the running program is up.
pub fn tick() {
    let waiting = RUN_QUEUE.lock().len();
    load::tick(waiting + usize::from(!current().is_idle()));
    timers::tick();
    if waiting > 0 {
        current().work.fetch_or(NEED_RESCHED, Ordering::Relaxed);
    }
}

/// Nanoseconds in which nothing wanted to run.
pub fn idle_time() -> u64 {
    IDLE.get().map_or(0, |idle| idle.cpu_time())
}

/// Switches from one task to another since boot.
pub fn switches() -> u64 {
    SWITCHES.load(Ordering::Relaxed)
}

/// Tasks that run or want to.
pub fn nr_running() -> usize {
    let running = usize::from(!current().is_idle());
    RUN_QUEUE.lock().len() + running
}

/// What the boot context does for ever. Interrupts are unmasked by it.
pub fn idle() -> ! {
    loop {
        barrier::irq_disable();
        if RUN_QUEUE.lock().is_empty() {
            barrier::wait_for_interrupt();
        }
        barrier::irq_enable();
        schedule();
    }
}
