//! One CPU: the system registers that a stage 1 EL1&0 walk reads, and what the CPU caches. Registers are
//! held twice, as written and as in effect: a write takes effect at the next context synchronization
//! event (Arm Architecture Reference Manual, "Synchronization requirements for AArch64 System registers").

use crate::granule::Granule;
use crate::icache::{InstructionCache, Maintenance};
use crate::tlb::Tlb;
use crate::tlbi::PendingTlbi;

/// The fields of TCR_EL1 that matter to TTBR0 walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcr {
    /// T0SZ: the input address has 64 minus this many bits.
    pub t0sz: u8,
    /// EPD0: a TLB miss faults instead of walking.
    pub epd0: bool,
    /// TG0. `None` is the reserved encoding.
    pub tg0: Option<Granule>,
    /// A1: the ASID is that of TTBR1, not TTBR0.
    pub a1: bool,
    /// AS: 16 bits of ASID; clear, 8.
    pub asid16: bool,
    /// TBI0: the top byte of an address is ignored.
    pub tbi0: bool,
    /// HA: hardware sets the Access flag.
    pub ha: bool,
    /// HD: hardware manages dirty state.
    pub hd: bool,
    /// HPD0: hierarchical permissions are off.
    pub hpd0: bool,
}

impl Tcr {
    /// Read the register's bits.
    pub fn from_bits(raw: u64) -> Tcr {
        let bit = |n: u32| raw >> n & 1 != 0;
        Tcr {
            t0sz: (raw & 0x3f) as u8,
            epd0: bit(7),
            tg0: Granule::from_tg0(raw >> 14 & 3),
            a1: bit(22),
            asid16: bit(36),
            tbi0: bit(37),
            ha: bit(39),
            hd: bit(40),
            hpd0: bit(41),
        }
    }

    /// A plain configuration: this granule and T0SZ, 16-bit ASIDs in TTBR0, walks on, all else off.
    pub fn new(granule: Granule, t0sz: u8) -> Tcr {
        Tcr { tg0: Some(granule), asid16: true, ..Tcr::from_bits(u64::from(t0sz)) }
    }

    /// The register's bits, as far as the fields go.
    pub fn bits(self) -> u64 {
        let bit = |on: bool, n: u32| u64::from(on) << n;
        u64::from(self.t0sz)
            | bit(self.epd0, 7)
            | self.tg0.map_or(0b11, Granule::tg0) << 14
            | bit(self.a1, 22)
            | bit(self.asid16, 36)
            | bit(self.tbi0, 37)
            | bit(self.ha, 39)
            | bit(self.hd, 40)
            | bit(self.hpd0, 41)
    }

    /// Do the two give a walk the same shape?
    pub fn same_shape(self, other: Tcr) -> bool {
        self.tg0 == other.tg0 && self.t0sz == other.t0sz
    }
}

/// The bits of TTBR0_EL1 for a root table and an ASID.
pub fn ttbr(root: u64, asid: u16) -> u64 {
    u64::from(asid) << 48 | root
}

/// The registers of one translation regime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regs {
    /// TCR_EL1.
    pub tcr: Tcr,
    /// TTBR0_EL1.
    pub ttbr0: u64,
    /// TTBR1_EL1, for its ASID only.
    pub ttbr1: u64,
}

impl Regs {
    /// At reset: walks off.
    fn reset() -> Regs {
        Regs { tcr: Tcr { epd0: true, ..Tcr::new(Granule::K4, 16) }, ttbr0: 0, ttbr1: 0 }
    }

    /// The ASID in use.
    pub fn asid(&self) -> u16 {
        let asid = (if self.tcr.a1 { self.ttbr1 } else { self.ttbr0 } >> 48) as u16;
        if self.tcr.asid16 { asid } else { asid & 0xff }
    }

    /// The root table of TTBR0: bits 47:1, bit 0 is CnP.
    pub fn root(&self) -> u64 {
        self.ttbr0 & 0x0000_ffff_ffff_fffe
    }
}

/// One CPU.
#[derive(Debug)]
pub struct Cpu {
    /// Registers in effect.
    pub(crate) effective: Regs,
    /// Registers as written, in effect after the next ISB.
    pub(crate) written: Regs,
    pub(crate) tlb: Tlb,
    /// TLBIs that no DSB has completed yet.
    pub(crate) tlbis: Vec<PendingTlbi>,
    pub(crate) icache: InstructionCache,
    /// Cache maintenance that no DSB has completed yet.
    pub(crate) maintenance: Vec<Maintenance>,
    /// Completed instruction cache maintenance that this CPU has not synchronised to by ISB.
    pub(crate) stale_pipeline: bool,
}

impl Cpu {
    pub(crate) fn new(tlb_capacity: usize) -> Cpu {
        Cpu {
            effective: Regs::reset(),
            written: Regs::reset(),
            tlb: Tlb::new(tlb_capacity),
            tlbis: Vec::new(),
            icache: InstructionCache::default(),
            maintenance: Vec::new(),
            stale_pipeline: false,
        }
    }

    /// The registers in effect.
    pub fn regs(&self) -> &Regs {
        &self.effective
    }

    /// The registers as last written.
    pub fn written_regs(&self) -> &Regs {
        &self.written
    }

    /// Entries in this CPU's TLB, walk cache included.
    pub fn tlb_len(&self) -> usize {
        self.tlb.len()
    }
}
