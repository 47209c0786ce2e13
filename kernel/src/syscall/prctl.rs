//! `prctl(2)`: settings of a task. Mirrors the end of Linux's `kernel/sys.c`.

use abi::Errno;
use core::sync::atomic::Ordering;

use super::{SysResult, caps};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, copy_to_user, strncpy_from_user_cut};
use crate::heap;
use crate::task::cred::Cred;
use crate::task::{COMM_LEN, current};

const PR_SET_PDEATHSIG: u32 = 1;
const PR_GET_PDEATHSIG: u32 = 2;
const PR_GET_DUMPABLE: u32 = 3;
const PR_SET_DUMPABLE: u32 = 4;
const PR_GET_TIMING: u32 = 13;
const PR_SET_TIMING: u32 = 14;
const PR_SET_NAME: u32 = 15;
const PR_GET_NAME: u32 = 16;
const PR_GET_SECCOMP: u32 = 21;
const PR_SET_TIMERSLACK: u32 = 29;
const PR_GET_TIMERSLACK: u32 = 30;
const PR_SET_CHILD_SUBREAPER: u32 = 36;
const PR_GET_CHILD_SUBREAPER: u32 = 37;
const PR_SET_NO_NEW_PRIVS: u32 = 38;
const PR_GET_NO_NEW_PRIVS: u32 = 39;
const PR_GET_TID_ADDRESS: u32 = 40;

/// Largest signal number.
const NSIG: u64 = 64;

/// `prctl(2)`.
pub fn prctl(frame: &mut TrapFrame) -> SysResult {
    let [option, arg2, arg3, arg4, arg5, _] = frame.args();
    let option = option as u32;
    if let Some(result) = caps::prctl(option, [arg2, arg3, arg4, arg5]) {
        return result;
    }
    let task = current();
    let attributes = &task.attributes;
    // Calls that came late refuse what they might use one day.
    let unused = |args: &[u64]| if args.iter().all(|arg| *arg == 0) { Ok(()) } else { Err(Errno::EINVAL) };
    match option {
        PR_SET_NAME => task.set_comm(&strncpy_from_user_cut(arg2, COMM_LEN - 1)?),
        PR_GET_NAME => copy_to_user(arg2, &task.comm().0)?,
        PR_SET_PDEATHSIG => {
            if arg2 > NSIG {
                return Err(Errno::EINVAL);
            }
            attributes.pdeath_signal.store(arg2 as u8, Ordering::Relaxed);
        }
        PR_GET_PDEATHSIG => {
            UserPtr::new(arg2).write(u32::from(attributes.pdeath_signal.load(Ordering::Relaxed)))?;
        }
        PR_GET_DUMPABLE => return Ok(attributes.dumpable.load(Ordering::Relaxed).into()),
        PR_SET_DUMPABLE => {
            if arg2 > 1 {
                return Err(Errno::EINVAL);
            }
            attributes.dumpable.store(arg2 as u8, Ordering::Relaxed);
        }
        // Statistical timing is what there is.
        PR_GET_TIMING => {}
        PR_SET_TIMING if arg2 == 0 => {}
        // No filter is ever on.
        PR_GET_SECCOMP => {}
        PR_SET_TIMERSLACK => {
            let default = attributes.default_timer_slack.load(Ordering::Relaxed);
            let slack = if (arg2 as i64) <= 0 { default } else { arg2 };
            attributes.timer_slack.store(slack, Ordering::Relaxed);
        }
        PR_GET_TIMERSLACK => return Ok(attributes.timer_slack.load(Ordering::Relaxed)),
        PR_SET_CHILD_SUBREAPER => attributes.child_subreaper.store(arg2 != 0, Ordering::Relaxed),
        PR_GET_CHILD_SUBREAPER => {
            UserPtr::new(arg2).write(u32::from(attributes.child_subreaper.load(Ordering::Relaxed)))?;
        }
        PR_SET_NO_NEW_PRIVS => {
            if arg2 != 1 {
                return Err(Errno::EINVAL);
            }
            unused(&[arg3, arg4, arg5])?;
            heap::reserve()?;
            task.commit_cred(Cred { no_new_privs: true, ..Cred::clone(&task.cred()) });
        }
        PR_GET_NO_NEW_PRIVS => {
            unused(&[arg2, arg3, arg4, arg5])?;
            return Ok(task.cred().no_new_privs.into());
        }
        PR_GET_TID_ADDRESS => UserPtr::new(arg2).write(task.clear_child_tid())?,
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}
