//! Processes: identity, birth, programs, death, limits.

use abi::signal::{NSIG, Signal};
use abi::{CapSet, Errno, Personality, raw};

use super::SysResult;
use super::layout::{Rlimit64, Rusage, Timeval};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, path_from_user};
use crate::task::exit::{ExitReason, Usage};
use crate::task::fork::{CloneArgs, CloneFlags};
use crate::task::rlimit::{self, Rlimit};
use crate::task::{self, Current, Task, current, exec};

/// `exit(2)` and `exit_group(2)`: a process has one thread.
pub fn exit(frame: &mut TrapFrame) -> SysResult {
    let [status, ..] = frame.args();
    task::exit::exit(ExitReason::Code(status as u8))
}

/// `getpid(2)`, and `gettid(2)` with one thread in each process.
pub fn getpid(_: &mut TrapFrame) -> SysResult {
    Ok(current().pid().into())
}

/// `getppid(2)`.
pub fn getppid(_: &mut TrapFrame) -> SysResult {
    Ok(current().ppid().into())
}

/// `clone(2)`, in arm64's order of arguments; `fork` and `vfork` are made of it.
pub fn clone(frame: &mut TrapFrame) -> SysResult {
    let [flags, stack, parent_tid, tls, child_tid, _] = frame.args();
    // The low byte is the signal at exit.
    let (flags, exit_signal) = (flags & !0xff, flags & 0xff);
    if exit_signal > NSIG.into() {
        return Err(Errno::EINVAL);
    }
    let exit_signal = Signal::new(exit_signal);
    let flags = u32::try_from(flags).ok().and_then(CloneFlags::from_bits).ok_or(Errno::EINVAL)?;
    let child =
        task::fork::clone(frame, &CloneArgs { flags, exit_signal, stack, parent_tid, tls, child_tid })?;
    Ok(child.into())
}

/// `execve(2)`. On success the frame is the new program's.
pub fn execve(frame: &mut TrapFrame) -> SysResult {
    let [path, argv, envp, ..] = frame.args();
    let path = path_from_user(path)?;
    *frame = exec::execve(&path, exec::user_arguments(&path, argv, envp)?)?;
    Ok(0)
}

/// `getrusage(2)`.
pub fn getrusage(frame: &mut TrapFrame) -> SysResult {
    const SELF: i32 = 0;
    const CHILDREN: i32 = -1;
    const THREAD: i32 = 1;
    let [who, to, ..] = frame.args();
    let task = current();
    let usage = match who as i32 {
        SELF | THREAD => Usage { max_rss: task.max_rss_now(), ..task.usage() },
        CHILDREN => *task.children_usage.lock(),
        _ => return Err(Errno::EINVAL),
    };
    UserPtr::new(to).write(Rusage::from(usage))?;
    Ok(0)
}

impl From<Usage> for Rusage {
    /// The time is not split into user and system time: all of it is shown as the program's.
    fn from(usage: Usage) -> Rusage {
        let micros = usage.cpu_time / 1000;
        Rusage {
            utime: Timeval { sec: (micros / 1_000_000) as i64, usec: (micros % 1_000_000) as i64 },
            maxrss: (usage.max_rss >> 10) as i64,
            minflt: usage.min_flt as i64,
            majflt: usage.maj_flt as i64,
            ..Rusage::default()
        }
    }
}

/// `set_tid_address(2)`.
pub fn set_tid_address(frame: &mut TrapFrame) -> SysResult {
    let [addr, ..] = frame.args();
    let task = current();
    task.set_clear_child_tid(addr);
    Ok(task.pid().into())
}

/// `personality(2)`: the old value; sets the new one unless asked with all bits set.
pub fn personality(frame: &mut TrapFrame) -> SysResult {
    const QUERY: u32 = u32::MAX;
    const PER_MASK: u32 = 0xff;
    const PER_LINUX32: u32 = 0x08;
    let [wanted, ..] = frame.args();
    let wanted = wanted as u32;
    let task = current();
    let old = task.personality();
    if wanted != QUERY {
        if Personality::from_bits_retain(wanted).contains(Personality::PAGE_SIZES)
            || wanted & PER_MASK == PER_LINUX32
        {
            return Err(Errno::EINVAL);
        }
        task.set_personality(wanted);
    }
    Ok(old.into())
}

/// EPERM unless `task` is the caller, or all of its ids are the caller's real ones, or the caller may do so (Linux's
/// `check_prlimit_permission`).
fn may_look_at_limits(caller: &Current, task: &Task) -> Result<(), Errno> {
    if caller.pid() == task.pid() {
        return Ok(());
    }
    let (mine, theirs) = (caller.cred(), task.cred());
    let same_user = [theirs.uid, theirs.euid, theirs.suid].iter().all(|uid| *uid == mine.uid);
    let same_group = [theirs.gid, theirs.egid, theirs.sgid].iter().all(|gid| *gid == mine.gid);
    if same_user && same_group { Ok(()) } else { mine.require(CapSet::SYS_RESOURCE) }
}

/// `prlimit64(2)`.
pub fn prlimit64(frame: &mut TrapFrame) -> SysResult {
    let [pid, resource, new, old, ..] = frame.args();
    let index = rlimit::index(resource)?;
    let caller = current();
    let task = match pid as u32 {
        0 => caller.arc(),
        pid => task::table::find(pid).ok_or(Errno::ESRCH)?,
    };
    let (new, old) = (UserPtr::<Rlimit64>::new(new), UserPtr::new(old));
    let wanted = if new.is_null() { None } else { Some(new.read()?) };
    if wanted.is_some_and(|limit| limit.cur > limit.max) {
        return Err(Errno::EINVAL);
    }
    may_look_at_limits(&caller, &task)?;
    let raises = caller.has_capability(CapSet::SYS_RESOURCE);
    if index == raw::RLIMIT_NOFILE as usize && wanted.is_some_and(|limit| limit.max > rlimit::NR_OPEN) {
        return Err(Errno::EPERM);
    }
    let before = {
        let mut limits = task.rlimits.lock();
        let before = limits[index];
        if let Some(limit) = wanted {
            if limit.max > before.max && !raises {
                return Err(Errno::EPERM);
            }
            limits[index] = Rlimit { cur: limit.cur, max: limit.max };
        }
        before
    };
    if wanted.is_some() {
        task.apply_limits();
    }
    if !old.is_null() {
        old.write(Rlimit64 { cur: before.cur, max: before.max })?;
    }
    Ok(0)
}
