//! When memory has run out: one process ends so that the others go on. Mirrors Linux's `mm/oom_kill.c`.
//!
//! Called by whoever needs memory for a program, after reclaim has found none, with no mmap lock held. The process whose
//! end gives back the most is sent SIGKILL, and its private memory is taken away at once, because it may be a while until
//! it can die: it may even wait for something that the caller holds.

use super::signal::{SignalTarget, send};
use super::table::{self, INIT_PID};
use super::user_mm::UserMm;
use super::{Task, current};
use crate::{frames, memory, panic};
use ::mm::stats::Stats;
use ::mm::types::PAGE_SIZE;
use abi::signal::{SigInfo, Signal};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

/// `oom_score_adj` of a process that is never chosen.
pub const SCORE_ADJ_MIN: i16 = -1000;
/// That of one that is chosen first.
pub const SCORE_ADJ_MAX: i16 = 1000;

/// What the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relief {
    /// Tries again.
    Retry,
    /// Gives up: the running task is about to die.
    Die,
}

/// Takes memory back from a process. There is one that can be killed, or the system ends.
pub fn out_of_memory() -> Relief {
    let task = current();
    if task.fatal_signal_pending() {
        return Relief::Die;
    }
    let Some(victim) = select() else {
        if task.pid() == INIT_PID || !task.is_user() {
            panic::fatal(format_args!("out of memory and no killable processes"));
        }
        // Whoever is left is exempt from being chosen, but not from this.
        kill(&task.arc());
        return Relief::Die;
    };
    kill(&victim);
    if task.fatal_signal_pending() { Relief::Die } else { Relief::Retry }
}

/// The process whose end helps most, among those from which something is left to take.
fn select() -> Option<Arc<Task>> {
    let mut worst: Option<(i64, Arc<Task>)> = None;
    let mut next = 0;
    while let Some(task) = table::find_from(next) {
        next = task.pid() + 1;
        // Of equals the one with the higher number goes, which is probably the younger.
        if let Some(points) = badness(&task)
            && worst.as_ref().is_none_or(|(most, _)| points >= *most)
        {
            worst = Some((points, task));
        }
    }
    worst.map(|(_, task)| task)
}

/// Kernel pages that the end of `task` would free, plus the part of all memory by which its owner said that it matters
/// less (Linux: `oom_badness`). `None` for what is not to be killed. May sleep, but not for long: nobody waits for memory who
/// holds the lock of an address space.
fn badness(task: &Task) -> Option<i64> {
    let adj = task.attributes.oom_score_adj.load(Ordering::Relaxed);
    if task.pid() == INIT_PID || adj == SCORE_ADJ_MIN {
        return None;
    }
    let mm = task.memory().filter(|mm| !mm.is_reaped())?;
    let usage = mm.usage();
    let pages = (usage.resident() + usage.tables) / PAGE_SIZE;
    Some(pages as i64 + i64::from(adj) * (frames::total() / 1000) as i64)
}

/// `/proc/PID/oom_score`: 0 for what is never killed, 2000 at most.
pub fn score(task: &Task) -> u64 {
    let total = frames::total() as i64;
    badness(task).map_or(0, |points| ((1000 + points * 1000 / total) * 2 / 3).max(0) as u64)
}

/// Ends `victim` and whoever shares its memory, and takes that.
fn kill(victim: &Arc<Task>) {
    Stats::add(&memory::get().stats.oom_kill, 1);
    let (comm, len) = victim.comm();
    let mm = victim.memory();
    let usage = mm.as_ref().map(|mm| mm.usage()).unwrap_or_default();
    let kb = |bytes: u64| bytes >> 10;
    log::info!(
        "Out of memory: Killed process {} ({}) total-vm:{}kB, anon-rss:{}kB, file-rss:{}kB, shmem-rss:{}kB, UID:{} \
         pgtables:{}kB oom_score_adj:{}",
        victim.pid(),
        comm[..len].escape_ascii(),
        kb(usage.total_vm),
        kb(usage.anon),
        kb(usage.file),
        kb(usage.shmem),
        victim.cred().uid,
        kb(usage.tables),
        victim.attributes.oom_score_adj.load(Ordering::Relaxed),
    );
    send_kill(victim);
    let Some(mm) = mm else { return };
    table::with_all(|tasks| {
        let shares = |task: &&Arc<Task>| task.pid() != INIT_PID && task.uses_memory(&mm);
        tasks.iter().filter(shares).for_each(send_kill);
    });
    reap(&mm);
}

fn send_kill(task: &Arc<Task>) {
    // SIGKILL is never refused.
    let _ = send(task, SigInfo::kernel(Signal::SIGKILL), SignalTarget::Process);
}

/// Takes the private memory of a process that is about to die (Linux's OOM reaper).
fn reap(mm: &UserMm) {
    mm.set_reaped();
    // Whoever holds the lock is on its way and gives it back without needing memory.
    mm.lock().oom_reap();
}
