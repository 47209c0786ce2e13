//! Terminals and who they belong to.

use crate::process::Pid;
use crate::sys::{Errno, raw, syscall};

/// `TIOCSCTTY`.
const TIOCSCTTY: usize = 0x540e;

/// Begins a session of its own, without a terminal; EPERM for the leader of a group.
pub fn set_sid() -> Result<Pid, Errno> {
    // SAFETY: the call takes no memory.
    unsafe { syscall(raw::__NR_setsid, []) }.map(|pid| pid as Pid)
}

/// Puts process `pid` (0: this one) into group `pgrp` (0: its own).
pub fn set_pgid(pid: Pid, pgrp: Pid) -> Result<(), Errno> {
    // SAFETY: as above.
    unsafe { syscall(raw::__NR_setpgid, [pid as usize, pgrp as usize]) }.map(drop)
}

/// Makes the terminal behind `descriptor` that of this session, whose leader this process is.
pub fn control(descriptor: i32) -> Result<(), Errno> {
    // SAFETY: as above.
    unsafe { syscall(raw::__NR_ioctl, [descriptor as usize, TIOCSCTTY, 0]) }.map(drop)
}
