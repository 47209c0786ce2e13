//! Signals: what a program does about them, waits for, and sends.

use super::SysResult;
use super::layout::Timespec;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, copy_to_user};
use crate::drivers::timer;
use crate::sync::park;
use crate::task::signal::{self, SignalTarget, send, timed_wait, with_sigmask};
use crate::task::table::{self, INIT_PID};
use crate::task::{Pid, Task, current, jobs};
use abi::signal::{SaFlags, SigAction, SigInfo, SigSet, SigStack, Signal, code};
use abi::{CapSet, Errno};
use alloc::sync::Arc;
use zerocopy::IntoBytes;

/// Bytes of `sigset_t` in the kernel's eyes; the C libraries' is larger.
const SIGSET_SIZE: u64 = size_of::<SigSet>() as u64;

fn check_sigset_size(size: u64) -> Result<(), Errno> {
    if size == SIGSET_SIZE { Ok(()) } else { Err(Errno::EINVAL) }
}

/// `rt_sigaction(2)`.
pub fn rt_sigaction(frame: &mut TrapFrame) -> SysResult {
    let [signal, new, old, size, ..] = frame.args();
    check_sigset_size(size)?;
    let (new, old) = (UserPtr::<SigAction>::new(new), UserPtr::new(old));
    let action = if new.is_null() { None } else { Some(new.read()?) };
    let signal = Signal::new(signal as u32 as u64).ok_or(Errno::EINVAL)?;
    if action.is_some() && signal.is_kernel_only() {
        return Err(Errno::EINVAL);
    }
    let task = current();
    let before = task.process.actions.get(signal);
    if let Some(action) = action {
        let flags = SaFlags::from_bits_truncate(action.flags).bits();
        let mask = action.mask.without(SigSet::KERNEL_ONLY);
        task.set_action(signal, SigAction { flags, mask, ..action });
    }
    if !old.is_null() {
        old.write(before)?;
    }
    Ok(0)
}

/// `rt_sigprocmask(2)`.
pub fn rt_sigprocmask(frame: &mut TrapFrame) -> SysResult {
    const SIG_BLOCK: u32 = 0;
    const SIG_UNBLOCK: u32 = 1;
    const SIG_SETMASK: u32 = 2;
    let [how, new, old, size, ..] = frame.args();
    check_sigset_size(size)?;
    let task = current();
    let before = task.signals.blocked();
    let (new, old) = (UserPtr::<SigSet>::new(new), UserPtr::new(old));
    if !new.is_null() {
        let set = new.read()?;
        task.set_blocked(match how as u32 {
            SIG_BLOCK => before.union(set),
            SIG_UNBLOCK => before.without(set),
            SIG_SETMASK => set,
            _ => return Err(Errno::EINVAL),
        });
    }
    if !old.is_null() {
        old.write(before)?;
    }
    Ok(0)
}

/// `rt_sigpending(2)`. A size that is too small gets what fits.
pub fn rt_sigpending(frame: &mut TrapFrame) -> SysResult {
    let [to, size, ..] = frame.args();
    if size > SIGSET_SIZE {
        return Err(Errno::EINVAL);
    }
    let task = current();
    let pending = task.pending_signals().intersection(task.signals.blocked());
    copy_to_user(to, &pending.as_bytes()[..size as usize])?;
    Ok(0)
}

/// `rt_sigreturn(2)`.
pub fn rt_sigreturn(frame: &mut TrapFrame) -> SysResult {
    Ok(signal::sigreturn(frame))
}

/// `restart_syscall(2)`.
pub fn restart_syscall(_: &mut TrapFrame) -> SysResult {
    signal::restart_syscall()
}

/// A set argument that may be absent, as `ppoll` and its like have it.
pub fn optional_sigset(set: u64, size: u64) -> Result<Option<SigSet>, Errno> {
    if set == 0 {
        return Ok(None);
    }
    check_sigset_size(size)?;
    Ok(Some(UserPtr::new(set).read()?))
}

/// `rt_sigsuspend(2)`.
pub fn rt_sigsuspend(frame: &mut TrapFrame) -> SysResult {
    let [mask, size, ..] = frame.args();
    check_sigset_size(size)?;
    let mask = UserPtr::<SigSet>::new(mask).read()?;
    with_sigmask(Some(mask), || park::wait_for_any(&[], None, &mut || false).map(|()| 0))
}

/// `rt_sigtimedwait(2)`.
pub fn rt_sigtimedwait(frame: &mut TrapFrame) -> SysResult {
    let [set, info, timeout, size, ..] = frame.args();
    check_sigset_size(size)?;
    let wanted = UserPtr::<SigSet>::new(set).read()?;
    let timeout = UserPtr::<Timespec>::new(timeout);
    let deadline = match timeout.is_null() {
        true => None,
        false => Some(timer::now().saturating_add(timeout.read()?.to_nanos()?)),
    };
    let taken = timed_wait(wanted, deadline)?;
    if info != 0 {
        write_siginfo(info, &taken)?;
    }
    Ok(taken.signo as u64)
}

/// Writes a whole `siginfo_t`.
fn write_siginfo(to: u64, info: &SigInfo) -> Result<(), Errno> {
    let mut bytes = [0; SigInfo::SIZE];
    bytes[..size_of::<SigInfo>()].copy_from_slice(info.as_bytes());
    copy_to_user(to, &bytes)
}

/// `sigaltstack(2)`.
pub fn sigaltstack(frame: &mut TrapFrame) -> SysResult {
    let [new, old, ..] = frame.args();
    let (new, old) = (UserPtr::<SigStack>::new(new), UserPtr::new(old));
    let wanted = if new.is_null() { None } else { Some(new.read()?) };
    let task = current();
    let before = {
        let mut stack = task.signals.altstack.lock();
        let before = stack.show(frame.sp);
        if let Some(wanted) = wanted {
            stack.set(&wanted, frame.sp)?;
        }
        before
    };
    if !old.is_null() {
        old.write(before)?;
    }
    Ok(0)
}

/// What a call wants to send.
enum Sent {
    /// Nothing: it asks whether it could (signal 0).
    Probe,
    /// This.
    Info(SigInfo),
}

impl Sent {
    /// From a signal number; `code` says by which call. The number is looked at when there is somebody to get it.
    fn new(signal: u64, code: i32) -> Result<Sent, Errno> {
        if signal as u32 == 0 {
            return Ok(Sent::Probe);
        }
        let signal = Signal::new(signal as u32 as u64).ok_or(Errno::EINVAL)?;
        let sender = current();
        Ok(Sent::Info(SigInfo::from_process(signal, code, sender.pid(), sender.cred().uid)))
    }

    /// Sends it, if the caller may (`check_kill_permission`).
    fn to(&self, task: &Arc<Task>, target: SignalTarget) -> Result<(), Errno> {
        let signal = match self {
            Sent::Probe => None,
            Sent::Info(info) => info.signal(),
        };
        if !may_signal(task, signal) {
            return Err(Errno::EPERM);
        }
        match self {
            Sent::Probe => Ok(()),
            Sent::Info(info) => send(task, *info, target),
        }
    }
}

/// Whether the caller may send `signal` to `task`: its own users, with CAP_KILL everybody; SIGCONT within its session.
fn may_signal(task: &Task, signal: Option<Signal>) -> bool {
    let caller = current();
    let (mine, other) = (caller.cred(), task.cred());
    [mine.euid, mine.uid].iter().any(|uid| [other.suid, other.uid].contains(uid))
        || mine.has(CapSet::KILL)
        || signal == Some(Signal::SIGCONT) && task.process.session() == caller.process.session()
}

/// `kill(2)`.
pub fn kill(frame: &mut TrapFrame) -> SysResult {
    let [pid, signal, ..] = frame.args();
    let sent = Sent::new(signal, code::SI_USER);
    let send_one = |task: &Arc<Task>| match &sent {
        Ok(sent) => sent.to(task, SignalTarget::Process),
        Err(error) => Err(*error),
    };
    match pid as i32 {
        i32::MIN => return Err(Errno::ESRCH),
        0 => jobs::signal_pgrp(current().process.pgrp(), send_one)?,
        -1 => kill_all(send_one)?,
        pid if pid < 0 => jobs::signal_pgrp(pid.unsigned_abs(), send_one)?,
        pid => send_one(&table::find(pid as Pid).ok_or(Errno::ESRCH)?)?,
    }
    Ok(0)
}

/// Sends to everybody but init and the caller.
fn kill_all(mut send_one: impl FnMut(&Arc<Task>) -> Result<(), Errno>) -> Result<(), Errno> {
    let me = current().pid();
    table::with_all(|tasks| {
        let mut result = Err(Errno::ESRCH);
        for task in tasks.iter().filter(|task| task.pid() != INIT_PID && task.pid() != me) {
            match send_one(task) {
                Err(Errno::EPERM) if result == Err(Errno::ESRCH) => result = Ok(()),
                Err(Errno::EPERM) => {}
                sent => result = sent,
            }
        }
        result
    })
}

/// A thread by its number, which must be positive; of the process `group` if one is given.
fn thread(group: Option<u64>, tid: u64) -> Result<Arc<Task>, Errno> {
    let positive =
        |number: u64| Pid::try_from(number as i32).ok().filter(|&pid| pid > 0).ok_or(Errno::EINVAL);
    let group = group.map(positive).transpose()?;
    let tid = positive(tid)?;
    let task = table::find(tid).ok_or(Errno::ESRCH)?;
    if group.is_some_and(|group| group != task.pid()) { Err(Errno::ESRCH) } else { Ok(task) }
}

/// `tkill(2)`.
pub fn tkill(frame: &mut TrapFrame) -> SysResult {
    let [tid, signal, ..] = frame.args();
    let task = thread(None, tid)?;
    Sent::new(signal, code::SI_TKILL)?.to(&task, SignalTarget::Thread)?;
    Ok(0)
}

/// `tgkill(2)`.
pub fn tgkill(frame: &mut TrapFrame) -> SysResult {
    let [group, tid, signal, ..] = frame.args();
    let task = thread(Some(group), tid)?;
    Sent::new(signal, code::SI_TKILL)?.to(&task, SignalTarget::Thread)?;
    Ok(0)
}

/// A `siginfo_t` that a program made, for a signal to `pid`. EPERM if it claims to come from the kernel or from `kill`, unless
/// the program sends it to itself.
fn queued_info(info: u64, signal: u64, pid: u64) -> Result<Sent, Errno> {
    let mut info = UserPtr::<SigInfo>::new(info).read()?;
    info.signo = signal as i32;
    if (info.code >= 0 || info.code == code::SI_TKILL) && pid as u32 != current().pid() {
        return Err(Errno::EPERM);
    }
    match signal as u32 {
        0 => Ok(Sent::Probe),
        _ => Ok(Sent::Info(info)),
    }
}

/// `rt_sigqueueinfo(2)`.
pub fn rt_sigqueueinfo(frame: &mut TrapFrame) -> SysResult {
    let [pid, signal, info, ..] = frame.args();
    let sent = queued_info(info, signal, pid)?;
    let task = Pid::try_from(pid as i32).ok().and_then(table::find).ok_or(Errno::ESRCH)?;
    sent.to(&task, SignalTarget::Process)?;
    Ok(0)
}

/// `rt_tgsigqueueinfo(2)`.
pub fn rt_tgsigqueueinfo(frame: &mut TrapFrame) -> SysResult {
    let [group, tid, signal, info, ..] = frame.args();
    if group as i32 <= 0 || tid as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    let sent = queued_info(info, signal, tid)?;
    sent.to(&thread(Some(group), tid)?, SignalTarget::Thread)?;
    Ok(0)
}
