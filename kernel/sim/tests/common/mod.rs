//! A hand-written little kernel for the tests: it builds and changes tables of any granule, and does by
//! itself exactly what the architecture asks, so that each test may leave out one step.

#![allow(dead_code, reason = "each test file uses a part")]

use sim::desc::{AF, AP_EL0, AP_READ_ONLY, NG, PXN, TABLE_OR_PAGE, UXN, VALID};
use sim::{Config, Dsb, FRAME_SIZE, Granule, Machine, Scope, Tcr, Tlbi, ViolationKind, ttbr};

/// User page, read and write, accessed, not executable; to be joined with an output address.
pub const RW: u64 = VALID | AF | NG | AP_EL0 | PXN | UXN | 0b11 << 8;
/// The same, read-only.
pub const RO: u64 = RW | AP_READ_ONLY;
/// The same, executable by the user.
pub const RX: u64 = RO & !UXN;

pub const ASID: u16 = 7;

pub struct Kernel {
    pub m: Machine,
    pub granule: Granule,
    pub t0sz: u8,
    pub root: u64,
    pub reserved: u64,
}

/// T0SZ of user address spaces of 48, 47 and 42 bits.
pub fn t0sz_of(granule: Granule) -> u8 {
    match granule {
        Granule::K4 => 16,
        Granule::K16 => 17,
        Granule::K64 => 22,
    }
}

pub fn order_of(bytes: u64) -> u32 {
    (bytes / FRAME_SIZE).trailing_zeros()
}

impl Kernel {
    pub fn new(granule: Granule) -> Kernel {
        Kernel::with(granule, Config { nr_cpus: 2, restlessness: 0, ..Config::default() })
    }

    pub fn with(granule: Granule, config: Config) -> Kernel {
        let mut m = Machine::new(config);
        let reserved = m.alloc(4).expect("memory");
        m.zero(reserved, 65536);
        m.reserve_root(reserved);
        let mut k = Kernel { m, granule, t0sz: t0sz_of(granule), root: 0, reserved };
        k.root = k.new_table();
        k.m.dsb(0, Dsb::Stores);
        for cpu in 0..k.m.config().nr_cpus {
            k.m.write_ttbr0(cpu, ttbr(reserved, 0));
            k.m.isb(cpu);
        }
        k.load(0, ASID);
        k
    }

    pub fn tcr(&self) -> Tcr {
        Tcr::new(self.granule, self.t0sz)
    }

    /// Switch a CPU to the user table, by the book.
    pub fn load(&mut self, cpu: usize, asid: u16) {
        let tcr = self.tcr();
        self.load_as(cpu, tcr, self.root, asid);
    }

    pub fn load_as(&mut self, cpu: usize, tcr: Tcr, root: u64, asid: u16) {
        self.park(cpu);
        self.m.write_tcr(cpu, tcr.bits());
        self.m.isb(cpu);
        self.m.write_ttbr0(cpu, ttbr(root, asid));
        self.m.isb(cpu);
    }

    /// Leave the user table.
    pub fn park(&mut self, cpu: usize) {
        self.m.write_ttbr0(cpu, ttbr(self.reserved, 0));
        self.m.isb(cpu);
    }

    pub fn new_table(&mut self) -> u64 {
        let size = self.granule.size();
        let pa = self.m.alloc(order_of(size)).expect("memory");
        self.m.zero(pa, size);
        pa
    }

    pub fn new_page(&mut self) -> u64 {
        self.new_block(self.granule.size())
    }

    pub fn new_block(&mut self, size: u64) -> u64 {
        let pa = self.m.alloc(order_of(size)).expect("memory");
        self.m.zero(pa, size);
        pa
    }

    /// Address of the descriptor for an address at a level; tables are made on the way.
    pub fn slot(&mut self, va: u64, at: u8) -> u64 {
        let mut level = self.granule.start_level(64 - u32::from(self.t0sz));
        let mut table = self.root;
        loop {
            let entries = self.granule.size() / 8;
            let slot = table + va / self.granule.level_size(level) % entries * 8;
            if level == at {
                return slot;
            }
            let raw = self.m.read_u64(slot);
            table = if raw & VALID == 0 {
                let next = self.new_table();
                self.m.dmb();
                self.m.write_u64(slot, next | VALID | TABLE_OR_PAGE);
                self.m.dsb(0, Dsb::Stores);
                next
            } else {
                raw & 0x0000_ffff_ffff_f000
            };
            level += 1;
        }
    }

    /// Write a page descriptor and make it visible.
    pub fn map(&mut self, va: u64, pa: u64, bits: u64) {
        let slot = self.slot(va, 3);
        self.m.write_u64(slot, pa | bits | TABLE_OR_PAGE);
        self.m.dsb(0, Dsb::Stores);
        self.m.isb(0);
    }

    pub fn map_block(&mut self, va: u64, pa: u64, bits: u64, level: u8) {
        let slot = self.slot(va, level);
        self.m.write_u64(slot, pa | bits);
        self.m.dsb(0, Dsb::Stores);
        self.m.isb(0);
    }

    /// Clear a descriptor and all that is cached of it.
    pub fn unmap(&mut self, va: u64, level: u8) {
        let slot = self.slot(va, level);
        self.m.write_u64(slot, 0);
        self.m.dsb(0, Dsb::Stores);
        self.flush(Tlbi::va(ASID, va, false));
    }

    pub fn flush(&mut self, tlbi: Tlbi) {
        self.m.tlbi_decoded(0, tlbi, Scope::InnerShareable);
        self.m.dsb(0, Dsb::InnerShareable);
        self.m.isb(0);
    }

    #[track_caller]
    pub fn expect(&mut self, kind: ViolationKind) {
        let seen = self.m.take_violations();
        assert!(seen.iter().any(|v| v.kind == kind), "no {kind:?} in {seen:#?}");
    }
}
