//! Whose terminal it is: the session that it controls, and the process group in its foreground. Mirrors
//! `drivers/tty/tty_jobctrl.c`.
//!
//! There is one terminal, so "the caller's controlling terminal" is a yes or no of each process.

use crate::cmdline;
use crate::sync::IrqMutex;
use crate::task::signal::{SignalTarget, send};
use crate::task::table::{self, find_in};
use crate::task::{Current, Pid, Task, current, jobs};
use abi::signal::{SigAction, SigInfo, Signal};
use abi::termios::Winsize;
use abi::{CapSet, Errno};
use alloc::sync::Arc;

struct Control {
    /// The session that it controls; 0 if none.
    session: Pid,
    /// The group in the foreground; 0 if none.
    pgrp: Pid,
    size: Winsize,
}

static CONTROL: IrqMutex<Control> = IrqMutex::new(Control {
    session: 0,
    pgrp: 0,
    size: Winsize { rows: 0, columns: 0, xpixel: 0, ypixel: 0 },
});

/// Takes the size of the screen from the kernel's command line: a serial line cannot tell it.
pub fn init() {
    let number = |name| cmdline::get(name).and_then(|value| value.parse().ok()).unwrap_or(0);
    let (rows, columns) = (number("console_rows"), number("console_cols"));
    CONTROL.lock().size = Winsize { rows, columns, ..Winsize::default() };
}

/// How a program has come to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By `/dev/console`, on which Linux stops nobody.
    Console,
    /// By a name of its own: who is in the background stops.
    Terminal,
}

impl Access {
    /// Before reading: who is in the background stops, or gets EIO if nobody could let it go on.
    pub(super) fn check_read(self) -> Result<(), Errno> {
        if self == Access::Console { Ok(()) } else { check_change(Signal::SIGTTIN) }
    }

    /// Before writing, where TOSTOP asks for it.
    pub(super) fn check_write(self) -> Result<(), Errno> {
        if self == Access::Console { Ok(()) } else { check_change(Signal::SIGTTOU) }
    }
}

/// Whether the caller may use the terminal, as far as foreground and background go: its group gets `signal` if not
/// (`__tty_check_change`).
pub fn check_change(signal: Signal) -> Result<(), Errno> {
    let task = current();
    let (foreground, mine) = (CONTROL.lock().pgrp, task.process.pgrp());
    if !task.process.has_tty() || foreground == 0 || foreground == mine {
        return Ok(());
    }
    let ignored = task.signals.blocked().contains(signal)
        || task.process.actions.get(signal).handler == SigAction::SIG_IGN;
    if ignored {
        return if signal == Signal::SIGTTIN { Err(Errno::EIO) } else { Ok(()) };
    }
    if jobs::is_orphaned_pgrp(mine) {
        return Err(Errno::EIO);
    }
    signal_pgrp(mine, signal);
    Err(Errno::ERESTARTSYS)
}

/// May be called from an interrupt handler.
fn signal_pgrp(pgrp: Pid, signal: Signal) {
    let send_one = |task: &Arc<Task>| send(task, SigInfo::kernel(signal), SignalTarget::Process);
    // An empty group hears nothing.
    let _ = jobs::signal_pgrp(pgrp, send_one);
}

/// A key was typed that sends `signal`. May be called from an interrupt handler.
pub(super) fn signal_foreground(signal: Signal) {
    let pgrp = CONTROL.lock().pgrp;
    if pgrp != 0 {
        signal_pgrp(pgrp, signal);
    }
}

/// The size of the screen.
pub fn size() -> Winsize {
    CONTROL.lock().size
}

/// Sets the size of the screen; the foreground hears of a new one.
pub fn set_size(size: Winsize) {
    let old = core::mem::replace(&mut CONTROL.lock().size, size);
    if old != size {
        signal_foreground(Signal::SIGWINCH);
    }
}

/// What `TIOCSCTTY` does with the terminal of another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steal {
    /// Leaves it alone.
    No,
    /// Takes it away, if the caller may.
    Yes,
}

/// `TIOCSCTTY`: makes it the controlling terminal of the caller's session, whose leader the caller must be.
pub fn acquire(steal: Steal) -> Result<(), Errno> {
    let task = current();
    let process = &task.process;
    let is_leader = process.session() == task.pid();
    let owner = CONTROL.lock().session;
    if is_leader && owner == process.session() {
        return Ok(());
    }
    if !is_leader || process.has_tty() {
        return Err(Errno::EPERM);
    }
    if owner != 0 {
        if steal == Steal::No || !task.has_capability(CapSet::SYS_ADMIN) {
            return Err(Errno::EPERM);
        }
        forget_session(owner);
    }
    let mut control = CONTROL.lock();
    control.session = process.session();
    control.pgrp = process.pgrp();
    process.set_has_tty(true);
    Ok(())
}

/// A leader without a terminal that opens one gets it, if nobody has it.
pub fn acquire_at_open() {
    let is_free = CONTROL.lock().session == 0;
    if is_free && !current().process.has_tty() {
        // Who is no leader opens it like any file.
        let _ = acquire(Steal::No);
    }
}

/// The members of a session have no terminal any more.
fn forget_session(session: Pid) {
    table::with_all(|tasks| {
        for task in tasks.iter().filter(|task| task.process.session() == session) {
            task.process.set_has_tty(false);
        }
    });
}

/// `TIOCNOTTY`: the caller gives it up; if it is the leader, so does its session, whose foreground gets SIGHUP and SIGCONT.
pub fn release() -> Result<(), Errno> {
    let task = current();
    if !task.process.has_tty() {
        return Err(Errno::ENOTTY);
    }
    task.process.set_has_tty(false);
    if task.process.session() == task.pid() {
        let pgrp = let_go(task.pid());
        if pgrp != 0 {
            signal_pgrp(pgrp, Signal::SIGHUP);
            signal_pgrp(pgrp, Signal::SIGCONT);
        }
    }
    Ok(())
}

/// The terminal controls `session` no more; the group that was in its foreground.
fn let_go(session: Pid) -> Pid {
    {
        let control = CONTROL.lock();
        if control.session != session {
            return 0;
        }
    }
    forget_session(session);
    let mut control = CONTROL.lock();
    control.session = 0;
    core::mem::replace(&mut control.pgrp, 0)
}

/// The leader of a session is about to exit: the others have no terminal then, and the foreground gets SIGHUP
/// (`disassociate_ctty`).
pub fn session_leader_exits(task: &Current) {
    if task.process.has_tty() {
        let pgrp = let_go(task.pid());
        if pgrp != 0 {
            signal_pgrp(pgrp, Signal::SIGHUP);
        }
    }
}

/// `vhangup(2)`: as if the line were cut. The leader of the caller's session gets SIGHUP and SIGCONT, the foreground SIGHUP.
pub fn hang_up() {
    let task = current();
    if !task.process.has_tty() {
        return;
    }
    let session = task.process.session();
    let leader = table::find(session);
    let pgrp = let_go(session);
    if let Some(leader) = leader {
        for signal in [Signal::SIGHUP, Signal::SIGCONT] {
            let _ = send(&leader, SigInfo::kernel(signal), SignalTarget::Process);
        }
    }
    if pgrp != 0 {
        signal_pgrp(pgrp, Signal::SIGHUP);
    }
}

/// ENOTTY unless it is the caller's controlling terminal.
fn check_own() -> Result<(), Errno> {
    if current().process.has_tty() { Ok(()) } else { Err(Errno::ENOTTY) }
}

/// The group in the foreground; 0 if there is none.
pub fn foreground_pgrp() -> Pid {
    CONTROL.lock().pgrp
}

/// `TIOCGPGRP`: the same for the caller.
pub fn foreground() -> Result<Pid, Errno> {
    check_own()?;
    Ok(foreground_pgrp())
}

/// `TIOCGSID`: the session that it controls.
pub fn session() -> Result<Pid, Errno> {
    check_own()?;
    Ok(CONTROL.lock().session)
}

/// `TIOCSPGRP`: puts a group of the caller's session into the foreground.
pub fn set_foreground(pgrp: Pid) -> Result<(), Errno> {
    let task = current();
    if !task.process.has_tty() || CONTROL.lock().session != task.process.session() {
        return Err(Errno::ENOTTY);
    }
    table::with_all(|tasks| {
        let is_member = |task: &&Arc<Task>| task.process.pgrp() == pgrp;
        let Some(member) = tasks.iter().find(is_member) else {
            // A process that leads no group has a number, too.
            return Err(if find_in(tasks, pgrp).is_some() { Errno::EPERM } else { Errno::ESRCH });
        };
        if member.process.session() != task.process.session() {
            return Err(Errno::EPERM);
        }
        CONTROL.lock().pgrp = pgrp;
        Ok(())
    })
}
