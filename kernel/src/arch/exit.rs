//! Leaving the machine. Under QEMU with `-semihosting` (the runner says `semihosting=1` on the command line) the
//! status reaches the host; otherwise PSCI switches the power off and the status is lost.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};
use smccc::{Hvc, Smc, psci};

const UNKNOWN: u8 = 0;
const HVC: u8 = 1;
const SMC: u8 = 2;

static SEMIHOSTING: AtomicU8 = AtomicU8::new(0);
static CONDUIT: AtomicU8 = AtomicU8::new(UNKNOWN);

/// How PSCI is called, from the device tree's `method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PsciConduit {
    /// By HVC: a hypervisor, or QEMU when it has no EL2.
    Hvc,
    /// By SMC: firmware at EL3, or QEMU with virtualization=on.
    Smc,
}

/// Tells how to leave. Called once the command line is known.
pub fn init(semihosting: bool, conduit: Option<PsciConduit>) {
    SEMIHOSTING.store(u8::from(semihosting), Ordering::Relaxed);
    let conduit = match conduit {
        None => UNKNOWN,
        Some(PsciConduit::Hvc) => HVC,
        Some(PsciConduit::Smc) => SMC,
    };
    CONDUIT.store(conduit, Ordering::Relaxed);
}

/// Ends the machine with `status`.
pub fn exit(status: u8) -> ! {
    if SEMIHOSTING.load(Ordering::Relaxed) != 0 {
        semihosting_exit(status);
    }
    // The calls return only if there is no power to switch off.
    let _ = match CONDUIT.load(Ordering::Relaxed) {
        HVC => psci::system_off::<Hvc>(),
        SMC => psci::system_off::<Smc>(),
        _ => Ok(()),
    };
    halt()
}

/// Restarts the machine.
pub fn restart() -> ! {
    let _ = match CONDUIT.load(Ordering::Relaxed) {
        HVC => psci::system_reset::<Hvc>(),
        SMC => psci::system_reset::<Smc>(),
        _ => Ok(()),
    };
    exit(0)
}

/// Stops this CPU for good.
pub fn halt() -> ! {
    super::barrier::irq_disable();
    loop {
        super::barrier::wait_for_interrupt();
    }
}

/// SYS_EXIT with ADP_Stopped_ApplicationExit; on AArch64 the parameter is a block of reason and status.
fn semihosting_exit(status: u8) {
    const SYS_EXIT: u64 = 0x18;
    const APPLICATION_EXIT: u64 = 0x20026;
    let block = [APPLICATION_EXIT, u64::from(status)];
    // SAFETY: only reached when the runner has promised semihosting, so the HLT goes to the host, not to a trap.
    unsafe { asm!("hlt #0xf000", in("x0") SYS_EXIT, in("x1") block.as_ptr(), options(nostack)) };
}
