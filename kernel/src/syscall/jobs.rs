//! Process groups and sessions.

use super::SysResult;
use crate::arch::trap::TrapFrame;
use crate::drivers::tty::control;
use crate::task::process::Process;
use crate::task::{Pid, current, jobs, table};
use abi::{CapSet, Errno};
use alloc::sync::Arc;

/// A process number of which 0 means the caller's.
fn pid_or_self(pid: u64) -> Result<Pid, Errno> {
    match pid as i32 {
        0 => Ok(current().pid()),
        pid => Pid::try_from(pid).map_err(|_| Errno::ESRCH),
    }
}

/// The process that a number names, with 0 for the caller's.
fn process(pid: u64) -> Result<Arc<Process>, Errno> {
    let task = table::find(pid_or_self(pid)?).ok_or(Errno::ESRCH)?;
    Ok(task.process.clone())
}

/// `setpgid(2)`.
pub fn setpgid(frame: &mut TrapFrame) -> SysResult {
    let [pid, pgrp, ..] = frame.args();
    // A group of 0 is that of the process, whatever that is.
    let pgrp = if pgrp as i32 == 0 { pid } else { pgrp } as i32;
    if pgrp < 0 {
        return Err(Errno::EINVAL);
    }
    let pid = pid_or_self(pid)?;
    let pgrp = if pgrp == 0 { pid } else { pgrp as Pid };
    jobs::set_pgrp(pid, pgrp).map(|()| 0)
}

/// `getpgid(2)`.
pub fn getpgid(frame: &mut TrapFrame) -> SysResult {
    let [pid, ..] = frame.args();
    Ok(process(pid)?.pgrp().into())
}

/// `setsid(2)`.
pub fn setsid(_: &mut TrapFrame) -> SysResult {
    jobs::set_sid().map(u64::from)
}

/// `getsid(2)`.
pub fn getsid(frame: &mut TrapFrame) -> SysResult {
    let [pid, ..] = frame.args();
    Ok(process(pid)?.session().into())
}

/// `vhangup(2)`.
pub fn vhangup(_: &mut TrapFrame) -> SysResult {
    if !current().has_capability(CapSet::SYS_TTY_CONFIG) {
        return Err(Errno::EPERM);
    }
    control::hang_up();
    Ok(0)
}
