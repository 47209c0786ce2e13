//! The Arm generic interrupt controller, version 2 or 3, through the `arm-gic` crate.
//!
//! `irq` is the only caller of the hot half ([`acknowledge`], [`end`]); [`init`] runs once on the
//! boot CPU. All interrupts are non-secure group 1 (version 3) or the one group that version 2 shows
//! without security extensions, have one priority, and go to the boot CPU.
#![allow(unsafe_code)]

use crate::arch::mmio;
use crate::platform::{self, Irq, Trigger};
use crate::sync::IrqMutex;
use abi::Errno;
use arm_gic::gicv2::{self, GicV2};
use arm_gic::gicv3::{GicCpuInterface, GicV3};
use arm_gic::{IntId, InterruptGroup, UniqueMmioPointer};
use core::ptr::NonNull;

enum Gic {
    V2(GicV2<'static>),
    V3(GicV3<'static>),
}

/// `None` until [`init`].
static GIC: IrqMutex<Option<Gic>> = IrqMutex::new(None);

/// The redistributor of the CPU that boots.
const BOOT_CPU: usize = 0;

/// Redistributors that are set up: only the boot CPU runs.
const NR_REDISTRIBUTORS: usize = 1;

/// All lines are let through at any priority but the lowest, which means "masked".
const PRIORITY_MASK: u8 = 0xff;

/// Offset of GICD_ITARGETSR in the version 2 distributor, one byte per interrupt.
const GICD_ITARGETSR: usize = 0x800;

/// An interrupt that was acknowledged and must be ended.
#[must_use]
pub struct Claim {
    /// As the controller wants it back.
    raw: IntId,
    version: Version,
}

#[derive(Clone, Copy)]
enum Version {
    V2,
    V3,
}

impl Claim {
    /// The interrupt's number.
    pub fn intid(&self) -> u32 {
        // Version 2 reports the sending CPU of a software interrupt above the ten bits of the number.
        self.raw.raw_value() & 0x3ff
    }
}

/// Brings the controller up with every line off. ENODEV for one that is not understood.
///
/// With version 3, boot has opened the system register interface to EL1.
pub fn init(gic: &platform::Gic) -> Result<(), Errno> {
    let map = |registers: &platform::Registers| {
        mmio::ioremap(registers.pa, registers.size).map_err(|_| Errno::ENOMEM)
    };
    let gic = match gic {
        platform::Gic::V2 { distributor, cpu } => {
            let (gicd, gicc) = (map(distributor)?, map(cpu)?);
            // SAFETY: the device tree says that these are the registers; the mappings last for good,
            // and nobody else drives the controller.
            let mut gic = unsafe { GicV2::new(gicd.as_ptr().cast(), gicc.as_ptr().cast()) };
            gic.enable_all_interrupts(false);
            gic.setup();
            gic.set_priority_mask(PRIORITY_MASK);
            // SAFETY: a mapped version 2 distributor.
            unsafe { target_boot_cpu(gicd, gic.typer()) };
            Gic::V2(gic)
        }
        platform::Gic::V3 { distributor, redistributors } => {
            // The boot CPU's redistributor is the first one of the first region.
            let (gicd, gicr) = (map(distributor)?, map(redistributors.first().ok_or(Errno::ENODEV)?)?);
            // SAFETY: as above.
            let gic =
                unsafe { GicV3::new(UniqueMmioPointer::new(gicd.cast()), gicr.cast(), NR_REDISTRIBUTORS) };
            let mut gic = gic.map_err(|_| Errno::ENODEV)?;
            gic.enable_all_interrupts(false);
            gic.setup(BOOT_CPU);
            GicCpuInterface::set_priority_mask(PRIORITY_MASK);
            Gic::V3(gic)
        }
    };
    *GIC.lock() = Some(gic);
    Ok(())
}

/// Sends every shared interrupt of a version 2 controller to the boot CPU: after reset they may go
/// nowhere. With one CPU the registers read as zero and ignore the writes.
///
/// # Safety
///
/// `gicd` is a mapped version 2 distributor.
unsafe fn target_boot_cpu(gicd: NonNull<u8>, typer: gicv2::Typer) {
    const EACH_TO_CPU_0: u32 = 0x0101_0101;
    let nr_irqs = typer.num_irqs() as usize;
    for first in (32..nr_irqs).step_by(4) {
        // SAFETY: below 1020 bytes from the register file's start, aligned; by our caller's promise
        // it is mapped device memory.
        unsafe {
            let register = gicd.byte_add(GICD_ITARGETSR + first).cast::<u32>();
            register.write_volatile(EACH_TO_CPU_0);
        }
    }
}

/// Sets the line's trigger and lets it through.
pub fn enable_irq(irq: Irq) -> Result<(), Errno> {
    let intid = IntId::try_from(irq.intid).map_err(|_| Errno::EINVAL)?;
    let trigger = match irq.trigger {
        Trigger::Edge => arm_gic::Trigger::Edge,
        Trigger::Level => arm_gic::Trigger::Level,
    };
    let mut gic = GIC.lock();
    match gic.as_mut().ok_or(Errno::ENODEV)? {
        Gic::V2(gic) => {
            if irq.intid >= gic.typer().num_irqs() {
                return Err(Errno::EINVAL);
            }
            gic.set_trigger(intid, trigger);
            gic.enable_interrupt(intid, true).map_err(|_| Errno::EINVAL)
        }
        Gic::V3(gic) => {
            if intid.is_spi() && irq.intid - 32 >= gic.typer().num_spis() {
                return Err(Errno::EINVAL);
            }
            gic.set_trigger(intid, Some(BOOT_CPU), trigger).map_err(|_| Errno::EINVAL)?;
            gic.enable_interrupt(intid, Some(BOOT_CPU), true).map_err(|_| Errno::EINVAL)
        }
    }
}

/// Stops the line.
pub fn disable_irq(intid: u32) {
    let Ok(intid) = IntId::try_from(intid) else { return };
    // A line that cannot be disabled was never enabled: the results say nothing new.
    match GIC.lock().as_mut() {
        Some(Gic::V2(gic)) => drop(gic.enable_interrupt(intid, false)),
        Some(Gic::V3(gic)) => drop(gic.enable_interrupt(intid, Some(BOOT_CPU), false)),
        None => {}
    }
}

/// Takes the most urgent pending interrupt of this CPU; `None` if there is none.
pub fn acknowledge() -> Option<Claim> {
    let mut gic = GIC.lock();
    let claim = match gic.as_mut()? {
        Gic::V2(gic) => {
            Claim { raw: gic.get_and_acknowledge_interrupt(InterruptGroup::Group0)?, version: Version::V2 }
        }
        Gic::V3(_) => Claim {
            raw: GicCpuInterface::get_and_acknowledge_interrupt(InterruptGroup::Group1)?,
            version: Version::V3,
        },
    };
    // 1020 to 1023 are not interrupts and must not be ended.
    (claim.intid() < u32::from(IntId::SPECIAL_SECURE)).then_some(claim)
}

/// Ends an interrupt: lines of the same priority are delivered again.
pub fn end(claim: Claim) {
    match claim.version {
        Version::V3 => GicCpuInterface::end_interrupt(claim.raw, InterruptGroup::Group1),
        Version::V2 => {
            if let Some(Gic::V2(gic)) = GIC.lock().as_mut() {
                gic.end_interrupt(claim.raw, InterruptGroup::Group0);
            }
        }
    }
}
