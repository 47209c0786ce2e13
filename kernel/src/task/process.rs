//! What the threads of a process share besides memory and files: its place among the other processes, and signals.
//! Mirrors Linux's `signal_struct` and `sighand_struct`.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use abi::signal::Signal;

use super::Pid;
use super::signal::{Actions, SharedSignals};
use super::timers::Timers;

/// One process.
pub struct Process {
    /// Its group; changes under the task table's lock.
    pgrp: AtomicU32,
    /// Its session; changes under the task table's lock.
    session: AtomicU32,
    /// Whether the console is its controlling terminal.
    has_tty: AtomicBool,
    has_execed: AtomicBool,
    /// What its parent gets when it ends: a signal's number, or 0.
    exit_signal: AtomicU8,
    /// Signals for any of its threads.
    pub signals: SharedSignals,
    /// What it does about signals.
    pub actions: Actions,
    /// Timers that send signals.
    pub timers: Timers,
}

impl Process {
    /// A process of the kernel: in no group.
    pub fn new() -> Process {
        Process {
            pgrp: AtomicU32::new(0),
            session: AtomicU32::new(0),
            has_tty: AtomicBool::new(false),
            has_execed: AtomicBool::new(false),
            exit_signal: AtomicU8::new(Signal::SIGCHLD.number() as u8),
            signals: SharedSignals::new(),
            actions: Actions::new(),
            timers: Timers::default(),
        }
    }

    /// A child's: in the same group and session, with the same terminal.
    pub fn fork(&self, actions: Actions, exit_signal: Option<Signal>) -> Arc<Process> {
        Arc::new(Process {
            pgrp: self.pgrp().into(),
            session: self.session().into(),
            has_tty: self.has_tty().into(),
            has_execed: AtomicBool::new(false),
            exit_signal: AtomicU8::new(exit_signal.map_or(0, |signal| signal.number() as u8)),
            signals: SharedSignals::new(),
            actions,
            timers: Timers::default(),
        })
    }

    /// Number of its process group.
    pub fn pgrp(&self) -> Pid {
        self.pgrp.load(Ordering::Relaxed)
    }

    /// Number of its session.
    pub fn session(&self) -> Pid {
        self.session.load(Ordering::Relaxed)
    }

    /// Puts it in a group. The task table is locked.
    pub(super) fn set_pgrp(&self, pgrp: Pid) {
        self.pgrp.store(pgrp, Ordering::Relaxed);
    }

    /// Puts it in a session. The task table is locked.
    pub(super) fn set_session(&self, session: Pid) {
        self.session.store(session, Ordering::Relaxed);
    }

    /// Whether the console is its controlling terminal.
    pub fn has_tty(&self) -> bool {
        self.has_tty.load(Ordering::Relaxed)
    }

    /// Gives it the console as its controlling terminal, or takes it away.
    pub fn set_has_tty(&self, has_tty: bool) {
        self.has_tty.store(has_tty, Ordering::Relaxed);
    }

    /// Whether it has called `execve` since it was forked.
    pub fn has_execed(&self) -> bool {
        self.has_execed.load(Ordering::Relaxed)
    }

    /// The signal that its parent gets when it ends.
    pub fn exit_signal(&self) -> Option<Signal> {
        Signal::new(self.exit_signal.load(Ordering::Relaxed).into())
    }

    /// It runs another program from now on.
    pub fn note_exec(&self) {
        self.has_execed.store(true, Ordering::Relaxed);
        self.exit_signal.store(Signal::SIGCHLD.number() as u8, Ordering::Relaxed);
        self.actions.exec();
        self.timers.exec();
    }
}
