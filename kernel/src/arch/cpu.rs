//! What this CPU can do, read field by field from its identification registers and never assumed, and the control
//! bits that follow from it (Linux: `cpufeature.c`, `proc.S`). The kernel takes what the boot CPU has.

use super::barrier;
use aarch64_cpu::registers::{
    ID_AA64DFR0_EL1, ID_AA64ISAR0_EL1, ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, MIDR_EL1, MPIDR_EL1, Readable,
    SCTLR_EL1, TCR_EL1, Writeable,
};
use core::fmt;
use spin::Once;

static FEATURES: Once<Features> = Once::new();

/// SCTLR_EL1.SPAN: when clear, taking an exception sets PSTATE.PAN.
const SCTLR_SPAN: u64 = 1 << 23;
/// TCR_EL1.HA and HD: hardware keeps the accessed flag and the dirty state.
const TCR_HA: u64 = 1 << 39;
const TCR_HD: u64 = 1 << 40;
/// CNTKCTL_EL1.EL0VCTEN: EL0 may read CNTVCT_EL0.
const CNTKCTL_EL0VCTEN: u64 = 1 << 1;

/// How far the hardware keeps accessed and dirty state in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HardwareFlags {
    /// Software does both.
    None,
    /// The accessed flag only.
    Access,
    /// The accessed flag and the dirty state.
    AccessDirty,
}

/// The features that the kernel looks at.
#[derive(Debug, Clone, Copy)]
pub struct Features {
    /// Main identification: implementer and part.
    pub midr: u64,
    /// Which granules TTBR0 may use.
    pub granule_4k: bool,
    /// 16K granule.
    pub granule_16k: bool,
    /// 64K granule.
    pub granule_64k: bool,
    /// Bits of a physical address, at most 48.
    pub pa_bits: u32,
    /// Bits of an ASID: 8 or 16.
    pub asid_bits: u32,
    /// Privileged access never.
    pub pan: bool,
    /// Hardware accessed and dirty state.
    pub hardware_flags: HardwareFlags,
    /// TLB invalidation by range.
    pub tlb_range: bool,
    /// Atomic instructions (FEAT_LSE).
    pub lse: bool,
    /// Event counters of the PMU; 0 without one.
    pub pmu_counters: u32,
    /// Bytes in the smallest line of the data caches.
    pub dcache_line: u64,
    /// Bytes in the smallest line of the instruction caches.
    pub icache_line: u64,
    /// The instruction caches are VIPT: one byte may be cached under several addresses (CTR_EL0.L1Ip).
    pub icache_aliases: bool,
    /// CTR_EL0.IDC: no data cache clean is needed for instructions.
    pub idc: bool,
    /// CTR_EL0.DIC: no instruction cache invalidation is needed.
    pub dic: bool,
}

/// Reads the features and sets the controls that depend on them. Once, on the boot CPU.
pub fn init() -> &'static Features {
    let features = FEATURES.call_once(detect);
    apply(features);
    features
}

/// The features of the boot CPU. Panics before [`init`].
#[inline]
pub fn features() -> &'static Features {
    FEATURES.get().expect("cpu::init has run")
}

/// A number for this CPU: its affinity, all fields. Small, distinct, cheap.
#[inline]
pub fn id() -> u64 {
    MPIDR_EL1.get() & 0xff_00ff_ffff
}

fn detect() -> Features {
    let mmfr0 = ID_AA64MMFR0_EL1.get();
    let mmfr1 = ID_AA64MMFR1_EL1.get();
    let isar0 = ID_AA64ISAR0_EL1.get();
    let ctr: u64;
    // SAFETY: reads an identification register.
    unsafe { core::arch::asm!("mrs {0}, ctr_el0", out(reg) ctr, options(nomem, nostack)) };
    let field = |register: u64, shift: u32| (register >> shift) & 15;
    Features {
        midr: MIDR_EL1.get(),
        // TGran4 and TGran64 say 15 for "no", TGran16 says 0: each has its own encoding.
        granule_4k: field(mmfr0, 28) != 15,
        granule_16k: field(mmfr0, 20) != 0,
        granule_64k: field(mmfr0, 24) != 15,
        pa_bits: match field(mmfr0, 0) {
            0 => 32,
            1 => 36,
            2 => 40,
            3 => 42,
            4 => 44,
            _ => 48,
        },
        asid_bits: if field(mmfr0, 4) == 2 { 16 } else { 8 },
        pan: field(mmfr1, 20) != 0,
        hardware_flags: match field(mmfr1, 0) {
            0 => HardwareFlags::None,
            1 => HardwareFlags::Access,
            _ => HardwareFlags::AccessDirty,
        },
        tlb_range: field(isar0, 56) >= 2,
        lse: field(isar0, 20) >= 2,
        pmu_counters: match field(ID_AA64DFR0_EL1.get(), 8) {
            0 | 15 => 0,
            _ => super::pmu::counters(),
        },
        dcache_line: 4 << field(ctr, 16),
        icache_line: 4 << field(ctr, 0),
        icache_aliases: (ctr >> 14) & 3 == 2,
        idc: ctr & (1 << 28) != 0,
        dic: ctr & (1 << 29) != 0,
    }
}

/// Sets the control bits on the CPU that runs this.
fn apply(features: &Features) {
    let mut tcr = TCR_EL1.get();
    // HA acts only on entries without the accessed flag and HD only on those with DBM, so both are safe to have on.
    tcr |= match features.hardware_flags {
        HardwareFlags::None => 0,
        HardwareFlags::Access => TCR_HA,
        HardwareFlags::AccessDirty => TCR_HA | TCR_HD,
    };
    TCR_EL1.set(tcr);
    if features.pan {
        SCTLR_EL1.set(SCTLR_EL1.get() & !SCTLR_SPAN);
        // SAFETY: the CPU has PAN; the kernel reaches user memory by LDTR and STTR, which PAN does not stop.
        unsafe { core::arch::asm!(".inst 0xd500419f", options(nostack)) }; // msr pan, #1
    }
    // SAFETY: grants EL0 the virtual counter, which holds no secret of ours.
    unsafe { core::arch::asm!("msr cntkctl_el1, {0}", in(reg) CNTKCTL_EL0VCTEN, options(nostack)) };
    barrier::isb();
}

impl Features {
    /// The core's name, for those that QEMU has.
    pub fn name(&self) -> &'static str {
        match ((self.midr >> 24) & 0xff, (self.midr >> 4) & 0xfff) {
            (0x41, 0xd03) => "cortex-a53",
            (0x41, 0xd04) => "cortex-a35",
            (0x41, 0xd05) => "cortex-a55",
            (0x41, 0xd07) => "cortex-a57",
            (0x41, 0xd08) => "cortex-a72",
            (0x41, 0xd0b) => "cortex-a76",
            (0x41, 0xd0c) => "neoverse-n1",
            (0x41, 0xd40) => "neoverse-v1",
            (0x46, 0x001) => "a64fx",
            (0x00, 0x051) => "qemu max",
            _ => "unknown core",
        }
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (midr {:#010x}), granules", self.name(), self.midr)?;
        for (have, name) in [(self.granule_4k, "4K"), (self.granule_16k, "16K"), (self.granule_64k, "64K")] {
            if have {
                write!(f, " {name}")?;
            }
        }
        write!(f, ", pa {} bits, asid {} bits", self.pa_bits, self.asid_bits)?;
        let flags = match self.hardware_flags {
            HardwareFlags::None => (false, ""),
            HardwareFlags::Access => (true, "hw-access"),
            HardwareFlags::AccessDirty => (true, "hw-access-dirty"),
        };
        let names = [
            (self.pan, "pan"),
            flags,
            (self.tlb_range, "tlb-range"),
            (self.lse, "lse"),
            (self.idc, "idc"),
            (self.dic, "dic"),
        ];
        for (have, name) in names {
            if have {
                write!(f, ", {name}")?;
            }
        }
        write!(f, ", pmu {} counters", self.pmu_counters)
    }
}
