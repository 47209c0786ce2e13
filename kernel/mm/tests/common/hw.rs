//! `mm::hw::Hw` for the simulated machine.

use abi::Errno;
use mm::Memory;
use mm::arm64::NativeMode;
use mm::arm64::asid::Context;
use mm::arm64::geometry::Granules;
use mm::arm64::tlb::Tlbi;
use mm::folio::FrameMeta;
use mm::hw::{CpuFeatures, Hw};
use mm::types::{Pfn, PhysAddr, PhysSeg};
use sim::{Config, Dsb, Machine, Scope, Tcr, TlbiOp, ttbr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// Physical base of the simulated memory.
const BASE: u64 = 0x4000_0000;

/// The byte at `offset` of the simulated disk.
pub fn disk_byte(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

pub struct SimHw {
    machine: Mutex<Machine>,
    features: CpuFeatures,
    /// The empty table that a CPU runs on between address spaces.
    parked: u64,
    /// The CPU that the kernel code runs on.
    cpu: AtomicUsize,
    /// No two frames in a row are to be had.
    fragmented: AtomicBool,
    pending: Mutex<Vec<(u64, Vec<PhysSeg>)>>,
    memory: OnceLock<Weak<Memory<SimHw>>>,
}

/// What varies between machines.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub seed: u64,
    /// Hardware access flag and dirty state.
    pub hafdbs: bool,
    pub tlbi_range: bool,
    pub nr_frames: usize,
    pub asid_bits: u32,
    /// Mappings lie at high addresses.
    pub high: bool,
    /// When native entries are made.
    pub mode: NativeMode,
    /// Orders of anonymous folios that are on, as a set of bits.
    pub orders: u32,
}

impl SimHw {
    pub fn boot(setup: Setup) -> Arc<Memory<SimHw>> {
        let config = Config {
            base: BASE,
            nr_frames: setup.nr_frames,
            nr_cpus: 2,
            seed: setup.seed,
            ..Config::default()
        };
        let features = CpuFeatures {
            granules: Granules { g4k: true, g16k: true, g64k: true },
            hw_access_flag: setup.hafdbs,
            hw_dirty: setup.hafdbs,
            tlbi_range: setup.tlbi_range,
            asid_bits: setup.asid_bits,
            idc: false,
            dic: false,
        };
        let mut machine = Machine::new(config);
        let parked = machine.alloc(0).expect("the parking table");
        machine.zero(parked, 4096);
        machine.reserve_root(parked);
        let hw = SimHw {
            machine: Mutex::new(machine),
            parked,
            features,
            cpu: AtomicUsize::new(0),
            fragmented: AtomicBool::new(false),
            pending: Mutex::new(Vec::new()),
            memory: OnceLock::new(),
        };
        let metas: Vec<FrameMeta> = (0..setup.nr_frames).map(|_| FrameMeta::default()).collect();
        let mem = Memory::new(hw, PhysAddr(BASE).pfn(), Vec::leak(metas), 2).expect("the zero folio");
        mem.limit_free_lists(0);
        let mem = Arc::new(mem);
        let _ = mem.hw.memory.set(Arc::downgrade(&mem));
        mem
    }

    pub fn machine(&self) -> MutexGuard<'_, Machine> {
        // A failed check must not turn into a second failure while its world is taken down.
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn run_on(&self, cpu: usize) {
        self.cpu.store(cpu, Relaxed);
    }

    pub fn fragment(&self, fragmented: bool) {
        self.fragmented.store(fragmented, Relaxed);
    }

    pub fn cpu(&self) -> usize {
        self.cpu.load(Relaxed)
    }

    /// Sends a CPU to the empty table.
    pub fn park(&self, cpu: usize) {
        let mut machine = self.machine();
        machine.write_ttbr0(cpu, ttbr(self.parked, 0));
        machine.isb(cpu);
    }

    /// Loads an address space on the current CPU, as the kernel does.
    pub fn load(&self, root: u64, asid: u16, tcr: Tcr) {
        let cpu = self.cpu();
        let regs = *self.machine().cpu(cpu).regs();
        if regs.ttbr0 == ttbr(root, asid) && regs.tcr == tcr {
            return;
        }
        self.park(cpu);
        let mut machine = self.machine();
        machine.write_tcr(cpu, tcr.bits());
        machine.isb(cpu);
        machine.write_ttbr0(cpu, ttbr(root, asid));
        machine.isb(cpu);
    }

    fn complete_reads(&self) {
        let Some(mem) = self.memory.get().and_then(Weak::upgrade) else { return };
        let mut pending = std::mem::take(&mut *self.pending.lock().unwrap());
        // Devices complete in any order; last first is the one that nobody expects.
        while let Some((offset, segs)) = pending.pop() {
            let mut at = offset;
            for seg in &segs {
                let bytes: Vec<u8> = (at..at + u64::from(seg.len)).map(disk_byte).collect();
                self.machine().write_bytes(seg.addr.0, &bytes);
                at += u64::from(seg.len);
            }
            mem.end_read(&segs, Ok(()));
        }
    }
}

impl Hw for SimHw {
    fn features(&self) -> &CpuFeatures {
        &self.features
    }

    fn read_desc(&self, at: PhysAddr) -> u64 {
        self.machine().read_u64(at.0)
    }

    fn write_desc(&self, at: PhysAddr, desc: u64) {
        self.machine().write_u64(at.0, desc);
    }

    fn swap_desc(&self, at: PhysAddr, desc: u64) -> u64 {
        self.machine().swap_u64(at.0, desc)
    }

    fn cas_desc(&self, at: PhysAddr, old: u64, new: u64) -> Result<(), u64> {
        self.machine().compare_exchange_u64(at.0, old, new).map(|_| ())
    }

    fn zero_frames(&self, pfn: Pfn, order: u8) {
        self.machine().zero(pfn.addr().0, 4096 << order);
    }

    fn copy_frames(&self, dst: Pfn, src: Pfn, order: u8) {
        self.machine().copy(dst.addr().0, src.addr().0, 4096 << order);
    }

    fn zero_bytes(&self, at: PhysAddr, len: u64) {
        if len > 0 {
            self.machine().write_bytes(at.0, &vec![0; len as usize]);
        }
    }

    fn write_bytes(&self, at: PhysAddr, bytes: &[u8]) {
        self.machine().write_bytes(at.0, bytes);
    }

    fn read_bytes(&self, at: PhysAddr, bytes: &mut [u8]) {
        self.machine().read_bytes(at.0, bytes);
    }

    fn alloc_frames(&self, order: u8) -> Option<Pfn> {
        if order > 0 && self.fragmented.load(Relaxed) {
            return None;
        }
        self.machine().alloc(order.into()).map(|pa| PhysAddr(pa).pfn())
    }

    fn free_frames(&self, pfn: Pfn, order: u8) {
        self.machine().free(pfn.addr().0, order.into());
    }

    fn dsb_ishst(&self) {
        let cpu = self.cpu();
        self.machine().dsb(cpu, Dsb::Stores);
    }

    fn tlbi(&self, op: Tlbi) {
        let asid_bits = |asid: u16| u64::from(asid) << 48;
        let page = |va: u64| (va >> 12) & ((1 << 44) - 1);
        let (op, operand) = match op {
            Tlbi::Va { asid, va, last_level } => {
                (if last_level { TlbiOp::Vale1 } else { TlbiOp::Vae1 }, asid_bits(asid) | page(va))
            }
            Tlbi::Range { asid, va, tg, scale, num, last_level } => {
                let shift = 10 + 2 * u64::from(tg);
                let fields = u64::from(tg) << 46 | u64::from(scale) << 44 | u64::from(num) << 39;
                let base = (va >> shift) & ((1 << 37) - 1);
                (if last_level { TlbiOp::Rvale1 } else { TlbiOp::Rvae1 }, asid_bits(asid) | fields | base)
            }
            Tlbi::Asid(asid) => (TlbiOp::Aside1, asid_bits(asid)),
            Tlbi::All => (TlbiOp::Vmalle1, 0),
        };
        let cpu = self.cpu();
        self.machine().tlbi(cpu, op, Scope::InnerShareable, operand);
    }

    fn dsb_ish(&self) {
        let cpu = self.cpu();
        self.machine().dsb(cpu, Dsb::InnerShareable);
    }

    fn leave_tables(&self, root: PhysAddr) {
        for cpu in 0..2 {
            let loaded = self.machine().cpu(cpu).regs().root();
            if loaded == root.0 {
                self.park(cpu);
            }
        }
    }

    /// The world loads the current process before each access.
    fn join_tables(&self, _context: &Context) {}

    fn sync_icache(&self, at: PhysAddr, len: u64) {
        let cpu = self.cpu();
        let mut machine = self.machine();
        for line in (at.0..at.0 + len).step_by(64) {
            machine.dc_cvau(cpu, line);
        }
        machine.dsb(cpu, Dsb::InnerShareable);
        machine.ic_iallu(cpu, Scope::InnerShareable);
        machine.dsb(cpu, Dsb::InnerShareable);
        for cpu in 0..2 {
            machine.isb(cpu);
        }
    }

    fn wait_folio(&self, _head: Pfn) {
        self.complete_reads();
    }

    fn wake_folio(&self, _head: Pfn) {}

    fn submit_read(&self, _dev: u32, offset: u64, segs: &[PhysSeg]) -> Result<(), Errno> {
        assert!(offset.is_multiple_of(512) && segs.iter().all(|seg| seg.len.is_multiple_of(512)));
        self.pending.lock().unwrap().push((offset, segs.to_vec()));
        Ok(())
    }
}
