//! The small instructions that many rooms need: barriers, interrupt masking, waiting, the counter.

use core::arch::asm;

/// The saved interrupt mask of [`irq_save`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct IrqFlags(u64);

/// Masks IRQ and FIQ on this CPU and returns what was masked before.
#[inline]
pub fn irq_save() -> IrqFlags {
    let flags: u64;
    // SAFETY: reads and sets the interrupt mask only. No `nomem`: memory accesses must stay inside.
    unsafe { asm!("mrs {0}, daif", "msr daifset, #3", out(reg) flags, options(nostack)) };
    IrqFlags(flags)
}

/// Brings back the mask that [`irq_save`] found.
#[inline]
pub fn irq_restore(flags: IrqFlags) {
    // SAFETY: sets the interrupt mask to a value that was valid before.
    unsafe { asm!("msr daif, {0}", in(reg) flags.0, options(nostack)) };
}

/// Unmasks IRQ and FIQ.
#[inline]
pub fn irq_enable() {
    // SAFETY: the caller has its locks released; handlers are installed before the first call.
    unsafe { asm!("msr daifclr, #3", options(nostack)) };
}

/// Masks IRQ and FIQ.
#[inline]
pub fn irq_disable() {
    // SAFETY: sets the interrupt mask only.
    unsafe { asm!("msr daifset, #3", options(nostack)) };
}

/// Waits for an interrupt, masked or not.
#[inline]
pub fn wait_for_interrupt() {
    // SAFETY: a hint; it returns when an interrupt is pending.
    unsafe { asm!("dsb sy", "wfi", options(nostack)) };
}

/// Completes stores to translation tables before what follows.
#[inline]
pub fn dsb_ishst() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb ishst", options(nostack)) };
}

/// Completes memory accesses and maintenance in the inner shareable domain.
#[inline]
pub fn dsb_ish() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb ish", options(nostack)) };
}

/// Makes changes of system registers and translation take effect.
#[inline]
pub fn isb() {
    // SAFETY: a barrier.
    unsafe { asm!("isb", options(nostack)) };
}

/// The generic timer's counter.
#[inline]
pub fn counter() -> u64 {
    let value: u64;
    // SAFETY: reads the counter; the barrier keeps it from being read early.
    unsafe { asm!("isb", "mrs {0}, cntvct_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// Ticks of [`counter`] in a second.
#[inline]
pub fn counter_frequency() -> u64 {
    let value: u64;
    // SAFETY: reads a constant register.
    unsafe { asm!("mrs {0}, cntfrq_el0", out(reg) value, options(nomem, nostack)) };
    value.max(1)
}
