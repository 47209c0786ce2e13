//! Threads of the kernel: sleeping, waking, locks that sleep, user addresses where there is no program.

use super::{Check, expect};
use crate::arch::uaccess::{UserPtr, UserSlice};
use crate::drivers::timer;
use crate::sync::{Completion, Mutex};
use crate::task::{kthread, sched, table};
use abi::Errno;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use boot::layout;

pub const CHECKS: &[(&str, Check)] = &[
    ("sleepers wake in the order of their times", sleepers),
    ("a lock that sleeps lets one task in", exclusion),
    ("threads of the kernel leave nothing behind", come_and_go),
    ("user addresses are refused where there is no program", no_program),
];

const MSEC: u64 = 1_000_000;

/// Starts a thread; the completion tells its end.
fn start(body: impl FnOnce() + Send + 'static) -> Result<Arc<Completion>, String> {
    let done = Arc::new(Completion::new());
    let ended = done.clone();
    let started = kthread::spawn("selftest", move || {
        body();
        ended.complete();
    });
    started.map_err(|error| format!("no thread: {error}"))?;
    Ok(done)
}

fn sleepers() -> Result<(), String> {
    let order = Arc::new(Mutex::new(Vec::new()));
    // Long times: all must be asleep before the first one's has come, however long the emulator's host lets it wait.
    const STEP: u64 = 20 * MSEC;
    let base = timer::now() + 5 * STEP;
    let mut ends = Vec::new();
    for place in [3u64, 1, 4, 2] {
        let order = order.clone();
        ends.push(start(move || {
            let deadline = base + place * STEP;
            sched::sleep_until(deadline);
            order.lock().push((place, timer::now() >= deadline));
        })?);
    }
    ends.iter().for_each(|end| end.wait());
    let order = order.lock().clone();
    expect(order == [(1, true), (2, true), (3, true), (4, true)], &format!("{order:?}"))
}

fn exclusion() -> Result<(), String> {
    const ROUNDS: u64 = 100;
    const TASKS: u64 = 4;
    let value = Arc::new(Mutex::new(0u64));
    let mut ends = Vec::new();
    for _ in 0..TASKS {
        let value = value.clone();
        ends.push(start(move || {
            for _ in 0..ROUNDS {
                let mut guard = value.lock();
                let before = *guard;
                // The others run now, and must find the door closed.
                sched::schedule();
                *guard = before + 1;
            }
        })?);
    }
    ends.iter().for_each(|end| end.wait());
    let sum = *value.lock();
    expect(sum == TASKS * ROUNDS, &format!("{sum} after {TASKS} times {ROUNDS}"))
}

fn come_and_go() -> Result<(), String> {
    let before = table::count();
    for _ in 0..50 {
        start(sched::schedule)?.wait();
    }
    // The last ones still have to leave.
    sched::sleep_until(timer::now() + MSEC);
    let after = table::count();
    expect(after == before, &format!("{before} tasks before, {after} after"))
}

fn no_program() -> Result<(), String> {
    for addr in [0, 0x1000, 1 << 47, layout::LINEAR, layout::IMAGE, u64::MAX - 7] {
        let refused = UserPtr::<u64>::new(addr).read() == Err(Errno::EFAULT)
            && UserPtr::new(addr).write(0u64) == Err(Errno::EFAULT)
            && UserSlice::new(addr, usize::MAX).err() == Some(Errno::EFAULT);
        expect(refused, &format!("{addr:#x} was not refused"))?;
    }
    Ok(())
}
