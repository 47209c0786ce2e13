//! Waiting for children: `wait4` and `waitid`.

use super::SysResult;
use super::layout::Rusage;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, copy_to_user};
use crate::task::wait::{WaitFor, WaitOptions, wait};
use crate::task::{Pid, current};
use abi::signal::{SigInfo, Signal};
use abi::{Errno, raw};
use zerocopy::IntoBytes;

/// `wait4(2)`.
pub fn wait4(frame: &mut TrapFrame) -> SysResult {
    const KNOWN: WaitOptions = WaitOptions::NOHANG
        .union(WaitOptions::STOPPED)
        .union(WaitOptions::CONTINUED)
        .union(WaitOptions::NOTHREAD)
        .union(WaitOptions::CLONE)
        .union(WaitOptions::ALL);
    let [pid, status, options, usage, ..] = frame.args();
    let options = WaitOptions::from_bits(options as u32).filter(|&options| KNOWN.contains(options));
    let options = options.ok_or(Errno::EINVAL)? | WaitOptions::EXITED;
    let which = match pid as i32 {
        -1 => WaitFor::Any,
        0 => WaitFor::Pgrp(current().process.pgrp()),
        i32::MIN => return Err(Errno::ESRCH),
        pid if pid < 0 => WaitFor::Pgrp(pid.unsigned_abs()),
        pid => WaitFor::Pid(pid as Pid),
    };
    let Some(child) = wait(which, options)? else { return Ok(0) };
    let status = UserPtr::new(status);
    if !status.is_null() {
        status.write(child.status)?;
    }
    let usage = UserPtr::new(usage);
    if !usage.is_null() {
        usage.write(Rusage::from(child.usage))?;
    }
    Ok(child.pid.into())
}

/// `waitid(2)`.
pub fn waitid(frame: &mut TrapFrame) -> SysResult {
    let [kind, id, info, options, usage, _] = frame.args();
    let asked = WaitOptions::EXITED | WaitOptions::STOPPED | WaitOptions::CONTINUED;
    let options = WaitOptions::from_bits(options as u32).ok_or(Errno::EINVAL)?;
    if !options.intersects(asked) {
        return Err(Errno::EINVAL);
    }
    let id = id as i32;
    let which = match kind as u32 {
        raw::P_ALL => WaitFor::Any,
        raw::P_PID if id > 0 => WaitFor::Pid(id as Pid),
        raw::P_PGID if id == 0 => WaitFor::Pgrp(current().process.pgrp()),
        raw::P_PGID if id > 0 => WaitFor::Pgrp(id as Pid),
        // There are no such descriptors.
        raw::P_PIDFD if id >= 0 => return Err(Errno::EBADF),
        _ => return Err(Errno::EINVAL),
    };
    let child = wait(which, options)?;
    let usage = UserPtr::new(usage);
    if let Some(child) = &child
        && !usage.is_null()
    {
        usage.write(Rusage::from(child.usage))?;
    }
    if info != 0 {
        let told = child.map_or(SigInfo::default(), |child| {
            let (code, status) = child.code_and_status();
            SigInfo::child(Signal::SIGCHLD, code, child.pid, child.uid, status, 0, 0)
        });
        // No more than these are written: the rest of the structure stays as it is.
        const WRITTEN: usize = 28;
        copy_to_user(info, &told.as_bytes()[..WRITTEN])?;
    }
    Ok(0)
}
