//! `rseq(2)`. Mirrors Linux's `kernel/rseq.c`.

use abi::Errno;

use super::SysResult;
use crate::arch::trap::TrapFrame;
use crate::task::current;
use crate::task::rseq::Registration;

const RSEQ_FLAG_UNREGISTER: u32 = 1;

/// `rseq(2)`: registers the thread's `struct rseq`, or ends that.
pub fn rseq(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, flags, signature, ..] = frame.args();
    let wanted = Registration { addr, len: len as u32, signature: signature as u32 };
    let task = current();
    let present = task.rseq();
    let same_place = present.is_some_and(|present| present.addr == addr && present.len == wanted.len);
    let same_signature = present.is_some_and(|present| present.signature == wanted.signature);
    match flags as u32 {
        RSEQ_FLAG_UNREGISTER => {
            if !same_place {
                return Err(Errno::EINVAL);
            }
            if !same_signature {
                return Err(Errno::EPERM);
            }
            wanted.end()?;
            task.set_rseq(None);
            Ok(0)
        }
        0 if present.is_some() => Err(match (same_place, same_signature) {
            (false, _) => Errno::EINVAL,
            (true, false) => Errno::EPERM,
            (true, true) => Errno::EBUSY,
        }),
        0 => {
            wanted.check(&task)?;
            wanted.begin()?;
            task.set_rseq(Some(wanted));
            Ok(0)
        }
        _ => Err(Errno::EINVAL),
    }
}
