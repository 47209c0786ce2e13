//! The orderly end of the machine.

use crate::arch::exit;
use crate::klog;

/// Switches the machine off. Under a runner that listens, QEMU ends with `status`.
pub fn power_off(status: u8) -> ! {
    let warnings = klog::warnings();
    if warnings != 0 {
        log::error!("{warnings} warnings since boot");
    }
    exit::exit(status)
}

/// Starts the machine again.
pub fn restart() -> ! {
    exit::restart()
}
