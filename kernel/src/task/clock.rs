//! The clocks that programs name by number. Mirrors the tables of Linux's `posix-timers.c` and `posix-cpu-timers.c`.

use abi::{Errno, raw};
use alloc::sync::Arc;

use super::{Task, current, table};
use crate::drivers::timer;
use crate::wall_clock;

/// A clock.
#[derive(Clone)]
pub enum Clock {
    /// Seconds since 1970, as the administrator sets them (also TAI, which nobody has told the leap seconds).
    Realtime,
    /// Time since boot. The machine never sleeps, so that this is Linux's CLOCK_BOOTTIME, too.
    Monotonic,
    /// What a task has used of its CPU.
    Cpu(Arc<Task>),
}

/// What a clock can be used for besides being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// To sleep.
    Sleep,
    /// For a timer.
    Timer,
}

/// Bits of a number for the CPU clock of a process, which is negative.
const PER_THREAD: u32 = 4;
const WHICH: u32 = 3;
/// [`WHICH`] for a clock that a descriptor stands for.
const DESCRIPTOR: u32 = 3;

impl Clock {
    /// The clock numbered `id`, or EINVAL.
    pub fn from_id(id: u64) -> Result<Clock, Errno> {
        let id = id as u32;
        if (id as i32) < 0 {
            return Clock::of_process(id);
        }
        match id {
            raw::CLOCK_REALTIME | raw::CLOCK_REALTIME_COARSE | raw::CLOCK_REALTIME_ALARM | raw::CLOCK_TAI => {
                Ok(Clock::Realtime)
            }
            raw::CLOCK_MONOTONIC
            | raw::CLOCK_MONOTONIC_RAW
            | raw::CLOCK_MONOTONIC_COARSE
            | raw::CLOCK_BOOTTIME
            | raw::CLOCK_BOOTTIME_ALARM => Ok(Clock::Monotonic),
            raw::CLOCK_PROCESS_CPUTIME_ID | raw::CLOCK_THREAD_CPUTIME_ID => Ok(Clock::Cpu(current().arc())),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The clock numbered `id`, to be used so: EINVAL if there is none, EOPNOTSUPP if it cannot be.
    pub fn usable(id: u64, purpose: Use) -> Result<Clock, Errno> {
        let clock = Clock::from_id(id)?;
        match id as u32 {
            raw::CLOCK_REALTIME_COARSE | raw::CLOCK_MONOTONIC_COARSE | raw::CLOCK_MONOTONIC_RAW => {
                Err(Errno::EOPNOTSUPP)
            }
            // A thread that sleeps uses none of its time.
            raw::CLOCK_THREAD_CPUTIME_ID if purpose == Use::Sleep => Err(Errno::EOPNOTSUPP),
            _ => Ok(clock),
        }
    }

    /// The CPU clock of the process whose number is in `id`.
    fn of_process(id: u32) -> Result<Clock, Errno> {
        if id & WHICH == DESCRIPTOR {
            return Err(Errno::EINVAL);
        }
        match !id >> 3 {
            0 => Ok(Clock::Cpu(current().arc())),
            pid => {
                let task = table::find(pid).ok_or(Errno::EINVAL)?;
                // The threads of others are not for us to ask about.
                let mine = id & PER_THREAD == 0 || pid == current().pid();
                if mine { Ok(Clock::Cpu(task)) } else { Err(Errno::EINVAL) }
            }
        }
    }

    /// What it shows, in nanoseconds.
    pub fn now(&self) -> u64 {
        match self {
            Clock::Realtime => wall_clock::now(),
            Clock::Monotonic => timer::now(),
            Clock::Cpu(task) => task.cpu_time(),
        }
    }

    /// The clock since boot when this one will show `time`, if nobody sets it; `None` for one that stands still at times.
    pub fn to_monotonic(&self, time: u64) -> Option<u64> {
        match self {
            Clock::Realtime => Some(timer::now().saturating_add(time.saturating_sub(wall_clock::now()))),
            Clock::Monotonic => Some(time),
            Clock::Cpu(_) => None,
        }
    }
}
