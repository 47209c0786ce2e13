//! What a task carries for others to ask about: priorities, scheduling policy, the settings of `prctl(2)`. A child inherits
//! them, but for those that Linux resets.

use core::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering,
};

use super::{Current, Task};

/// Default of `PR_SET_TIMERSLACK`, nanoseconds.
const TIMER_SLACK: u64 = 50_000;

/// Priority and class of a task, `sched_setattr(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `SCHED_*`.
    pub policy: u32,
    /// Priority under SCHED_FIFO and SCHED_RR, else 0.
    pub rt_priority: u32,
    /// Whether a child starts under the default policy (`SCHED_RESET_ON_FORK`).
    pub reset_on_fork: bool,
}

/// See the module.
#[derive(Default)]
pub struct Attributes {
    nice: AtomicI8,
    /// `SCHED_*` in the low byte, priority in the next, reset-on-fork above.
    policy: AtomicU32,
    /// `ioprio_set(2)`: class and level.
    pub ioprio: AtomicU16,
    /// Mode and flags of `set_mempolicy(2)`.
    pub mempolicy: AtomicU32,
    /// Signal that the task gets when its parent dies, or 0 (`PR_SET_PDEATHSIG`).
    pub pdeath_signal: AtomicU8,
    /// Whether others than root may look into the process (`PR_SET_DUMPABLE`): 0, 1, or 2 for root alone.
    pub dumpable: AtomicU8,
    /// Whether orphans below become the process's children (`PR_SET_CHILD_SUBREAPER`).
    pub child_subreaper: AtomicBool,
    /// How late a sleep may end, nanoseconds.
    pub timer_slack: AtomicU64,
    /// The task became a user who has more tasks than the limit allows: told at exec, as nobody looks at what `setuid`
    /// says.
    pub too_many_tasks: AtomicBool,
    /// How gladly the task is killed when memory runs out (`/proc/PID/oom_score_adj`).
    pub oom_score_adj: AtomicI16,
    /// How low those without a privilege may set that.
    pub oom_score_adj_min: AtomicI16,
    /// What [`timer_slack`](Attributes::timer_slack) goes back to.
    pub default_timer_slack: AtomicU64,
}

const POLICY_RESET: u32 = 1 << 16;
const SCHED_FIFO: u32 = 1;
const SCHED_RR: u32 = 2;

impl Attributes {
    /// What the first task has.
    pub fn first() -> Attributes {
        let attributes = Attributes::default();
        attributes.dumpable.store(1, Ordering::Relaxed);
        attributes.timer_slack.store(TIMER_SLACK, Ordering::Relaxed);
        attributes.default_timer_slack.store(TIMER_SLACK, Ordering::Relaxed);
        attributes
    }

    /// A child's.
    pub fn fork(&self) -> Attributes {
        let Policy { policy, rt_priority, reset_on_fork } = self.policy();
        let child = Attributes {
            nice: self.nice().into(),
            ioprio: self.ioprio.load(Ordering::Relaxed).into(),
            mempolicy: self.mempolicy.load(Ordering::Relaxed).into(),
            dumpable: self.dumpable.load(Ordering::Relaxed).into(),
            oom_score_adj: self.oom_score_adj.load(Ordering::Relaxed).into(),
            oom_score_adj_min: self.oom_score_adj_min.load(Ordering::Relaxed).into(),
            // The child's default is what its parent has.
            timer_slack: self.timer_slack.load(Ordering::Relaxed).into(),
            default_timer_slack: self.timer_slack.load(Ordering::Relaxed).into(),
            ..Attributes::default()
        };
        let real_time = matches!(policy, SCHED_FIFO | SCHED_RR);
        if !reset_on_fork {
            child.set_policy(Policy { policy, rt_priority, reset_on_fork: false });
        } else if !real_time {
            child.set_policy(Policy { policy, rt_priority: 0, reset_on_fork: false });
        }
        if reset_on_fork && (real_time || self.nice() < 0) {
            child.set_nice(0);
        }
        child
    }

    /// -20 (most of the CPU) to 19.
    pub fn nice(&self) -> i8 {
        self.nice.load(Ordering::Relaxed)
    }

    /// Sets the nice value.
    pub fn set_nice(&self, nice: i8) {
        self.nice.store(nice, Ordering::Relaxed);
    }

    /// The scheduling policy.
    pub fn policy(&self) -> Policy {
        let raw = self.policy.load(Ordering::Relaxed);
        Policy { policy: raw & 0xff, rt_priority: raw >> 8 & 0xff, reset_on_fork: raw & POLICY_RESET != 0 }
    }

    /// Sets the scheduling policy. Tasks take turns whatever it says.
    pub fn set_policy(&self, new: Policy) {
        let reset = if new.reset_on_fork { POLICY_RESET } else { 0 };
        self.policy.store(new.policy & 0xff | (new.rt_priority & 0xff) << 8 | reset, Ordering::Relaxed);
    }
}

impl Current {
    /// The identity has become another one: what the old one asked for no longer holds, and others may not look in.
    pub(super) fn lose_trust(&self) {
        self.attributes.dumpable.store(0, Ordering::Relaxed);
        self.attributes.pdeath_signal.store(0, Ordering::Relaxed);
    }
}

impl Task {
    /// A new program runs: what `execve` resets. `secure` is AT_SECURE.
    pub(super) fn reset_attributes_at_exec(&self, secure: bool) {
        self.attributes.dumpable.store(u8::from(!secure), Ordering::Relaxed);
        if secure {
            self.attributes.pdeath_signal.store(0, Ordering::Relaxed);
        }
    }
}
