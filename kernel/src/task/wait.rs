//! Waiting for children: which, what for, and what is learnt. Mirrors `do_wait` in Linux's `kernel/exit.c`.

use super::exit::Usage;
use super::signal::{StopEvent, StopReport, Take};
use super::table;
use super::{Pid, RunState, Task, current};
use abi::Errno;
use abi::signal::{Signal, code};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bitflags::bitflags;
use core::sync::atomic::Ordering;

/// Which children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// Any.
    Any,
    /// The one with this number.
    Pid(Pid),
    /// Those in this process group.
    Pgrp(Pid),
}

bitflags! {
    /// Options of the calls, with their numbers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct WaitOptions: u32 {
        /// Do not sleep.
        const NOHANG = 0x1;
        /// Children that have stopped; `WUNTRACED` and `WSTOPPED` are one.
        const STOPPED = 0x2;
        /// Children that have ended.
        const EXITED = 0x4;
        /// Children that go on.
        const CONTINUED = 0x8;
        /// Leave the child as it is, to be waited for again.
        const NOWAIT = 0x100_0000;
        /// Not those of other threads.
        const NOTHREAD = 0x2000_0000;
        /// All children, whatever signal they send at their end.
        const ALL = 0x4000_0000;
        /// Only children that do not send SIGCHLD.
        const CLONE = 0x8000_0000;
    }
}

/// What a parent learns of a child.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    /// Its number.
    pub pid: Pid,
    /// Its user.
    pub uid: u32,
    /// `wait4`'s status word.
    pub status: u32,
    /// What it used, with the children that it waited for.
    pub usage: Usage,
}

impl Waited {
    /// What is to be known of a child that has ended.
    pub(super) fn of_zombie(child: &Task) -> Waited {
        let mut usage = child.usage();
        usage.add(*child.children_usage.lock());
        Waited {
            pid: child.pid(),
            uid: child.cred().uid,
            status: child.exit_status.load(Ordering::Relaxed),
            usage,
        }
    }

    /// What `waitid` says: `si_code` and `si_status`.
    pub fn code_and_status(&self) -> (i32, u32) {
        const STOPPED: u32 = 0x7f;
        const CONTINUED: u32 = 0xffff;
        match self.status {
            CONTINUED => (code::CLD_CONTINUED, Signal::SIGCONT.number()),
            status if status & 0xff == STOPPED => (code::CLD_STOPPED, status >> 8),
            status if status & 0x7f == 0 => (code::CLD_EXITED, status >> 8),
            status => (code::CLD_KILLED, status & 0x7f),
        }
    }
}

impl StopReport {
    /// `wait4`'s status word.
    fn wait_status(self) -> u32 {
        match self {
            StopReport::Stopped(signal) => signal.number() << 8 | 0x7f,
            StopReport::Continued => 0xffff,
        }
    }
}

/// What a look at the children found.
enum Found {
    /// One that has ended; it is out of the table, unless it was only to be looked at.
    Ended(Arc<Task>),
    /// One that has stopped or goes on.
    Report(Arc<Task>, StopReport),
}

/// Waits until one of the children of the current task that `which` names has something to tell. `None` if none has and
/// `options` say not to sleep, ECHILD if there is no such child.
pub fn wait(which: WaitFor, options: WaitOptions) -> Result<Option<Waited>, Errno> {
    let parent = current();
    let found = if options.contains(WaitOptions::NOHANG) {
        look(&parent, which, options)?
    } else {
        Some(parent.child_event.wait_interruptible(|| look(&parent, which, options).transpose())??)
    };
    Ok(found.map(|found| match found {
        Found::Ended(child) => {
            let waited = Waited::of_zombie(&child);
            if !options.contains(WaitOptions::NOWAIT) {
                parent.children_usage.lock().add(waited.usage);
            }
            waited
        }
        Found::Report(child, report) => Waited {
            pid: child.pid(),
            uid: child.cred().uid,
            status: report.wait_status(),
            usage: child.usage(),
        },
    }))
}

fn look(parent: &Task, which: WaitFor, options: WaitOptions) -> Result<Option<Found>, Errno> {
    let is_meant = |child: &Task| {
        child.ppid() == parent.pid()
            && match which {
                WaitFor::Any => true,
                WaitFor::Pid(pid) => child.pid() == pid,
                WaitFor::Pgrp(pgrp) => child.process.pgrp() == pgrp,
            }
            && (options.contains(WaitOptions::ALL)
                || options.contains(WaitOptions::CLONE)
                    == (child.process.exit_signal() != Some(Signal::SIGCHLD)))
    };
    let take = if options.contains(WaitOptions::NOWAIT) { Take::Look } else { Take::Take };
    table::with_all_mut(|tasks: &mut Vec<Arc<Task>>| {
        let mut exist = false;
        for at in 0..tasks.len() {
            let child = &tasks[at];
            if !is_meant(child) {
                continue;
            }
            exist = true;
            if child.state() == RunState::Zombie {
                if !options.contains(WaitOptions::EXITED) {
                    continue;
                }
                if take == Take::Look {
                    return Ok(Some(Found::Ended(child.clone())));
                }
                parent.nr_children.fetch_sub(1, Ordering::Relaxed);
                return Ok(Some(Found::Ended(tasks.remove(at))));
            }
            for (option, event) in
                [(WaitOptions::STOPPED, StopEvent::Stopped), (WaitOptions::CONTINUED, StopEvent::Continued)]
            {
                if options.contains(option)
                    && let Some(report) = child.stop_report(event, take)
                {
                    return Ok(Some(Found::Report(child.clone(), report)));
                }
            }
        }
        if exist { Ok(None) } else { Err(Errno::ECHILD) }
    })
}

impl Task {
    /// Lets the task look at its children again, if it waits for one.
    pub fn wake_waiters(&self) {
        self.child_event.wake_all();
    }
}
