//! Ending the machine: reboot(2). Both return only where the kernel refuses.

use crate::sys::{raw, syscall};

const MAGIC: [usize; 2] = [raw::LINUX_REBOOT_MAGIC1 as usize, raw::LINUX_REBOOT_MAGIC2 as usize];

/// Switches the machine off.
pub fn off() {
    let command = raw::LINUX_REBOOT_CMD_POWER_OFF as usize;
    // SAFETY: if it works, nothing comes after it.
    let _ = unsafe { syscall(raw::__NR_reboot, [MAGIC[0], MAGIC[1], command, 0]) };
}

/// Ends a Granule machine with an exit status: `RESTART2` with the argument `exit=N`.
pub fn exit_machine(status: i32) {
    let mut argument = *b"exit=000\0";
    for (digit, scale) in argument[5..8].iter_mut().zip([100, 10, 1]) {
        *digit += (status.rem_euclid(256) / scale % 10) as u8;
    }
    let command = raw::LINUX_REBOOT_CMD_RESTART2 as usize;
    // SAFETY: the kernel reads the string.
    let _ = unsafe { syscall(raw::__NR_reboot, [MAGIC[0], MAGIC[1], command, argument.as_ptr() as usize]) };
}
