//! Protection keys on a CPU that has none (Linux on arm64 without FEAT_S1POE): there is key 0, and no other can be had.

use super::{SysResult, protect};
use crate::arch::trap::TrapFrame;
use abi::Errno;

/// `pkey_mprotect(2)`.
pub fn pkey_mprotect(frame: &mut TrapFrame) -> SysResult {
    const NO_KEY: u32 = u32::MAX;
    let [addr, len, prot, pkey, ..] = frame.args();
    match pkey as u32 {
        0 | NO_KEY => protect(addr, len, prot),
        _ => Err(Errno::EINVAL),
    }
}

/// `pkey_alloc(2)`.
pub fn pkey_alloc(frame: &mut TrapFrame) -> SysResult {
    /// `PKEY_ACCESS_MASK` of arm64: no access, write, execute or read.
    const RIGHTS: u64 = 0xf;
    let [flags, rights, ..] = frame.args();
    if flags != 0 || rights & !RIGHTS != 0 { Err(Errno::EINVAL) } else { Err(Errno::ENOSPC) }
}

/// `pkey_free(2)`.
pub fn pkey_free(_: &mut TrapFrame) -> SysResult {
    Err(Errno::EINVAL)
}
