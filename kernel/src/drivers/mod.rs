//! Drivers: the devices of QEMU's `virt` machine and of whatever looks like it.
//!
//! [`init`] runs once on the boot CPU with memory and the exception vectors in place and interrupts
//! masked; afterwards disks are in `block` and input is in [`tty`].

pub mod gic;
mod pl011;
pub mod timer;
pub mod tty;
mod virtio;

use crate::platform::Platform;

/// Starts what the device tree names. A machine without interrupt controller or timer is of no use;
/// everything else may be missing.
pub fn init(platform: &Platform) {
    let controller = platform.gic.as_ref().expect("an interrupt controller in the device tree");
    gic::init(controller).expect("an interrupt controller that works");
    let timer = platform.timer.expect("a timer in the device tree");
    timer::init(timer.virt).expect("a timer that works");
    tty::control::init();
    if let Some(uart) = &platform.uart
        && let Err(error) = pl011::init(uart)
    {
        log::error!("console input: {error}");
    }
    virtio::probe(&platform.virtio);
}
