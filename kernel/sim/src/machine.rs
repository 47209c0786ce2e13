//! The machine: its parts, how it is set up, and the system registers of its CPUs. Everything that a
//! kernel can do to it is a method of [`Machine`], here, in `memory`, `maintain`, `walk`, `fetch`,
//! `inspect` and `disk`.

use crate::cpu::{Cpu, Regs, Tcr};
use crate::disk::Disk;
use crate::frames::Frames;
use crate::granule::Granule;
use crate::icache::{Ctr, Pou};
use crate::phys::{FRAME_SIZE, POISON, Phys};
use crate::rng::Rng;
use crate::stores::StoreBuffer;
use crate::tables::{LiveTables, Shape};
use crate::violation::{Violation, ViolationKind, Violations};

/// How to build a machine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where memory begins, aligned to a frame.
    pub base: u64,
    /// Frames of memory.
    pub nr_frames: usize,
    /// CPUs, at most 64.
    pub nr_cpus: usize,
    /// Seed of all chance.
    pub seed: u64,
    /// Entries in each TLB, and as many in each walk cache.
    pub tlb_capacity: usize,
    /// Granules that the CPUs have.
    pub granules: Vec<Granule>,
    /// What CTR_EL0 says about caches.
    pub ctr: Ctr,
    /// After one access in this many, the next page is walked speculatively and an entry is evicted; after
    /// one store to a descriptor in this many, a CPU walks through it. 0 is never.
    pub restlessness: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            base: 0x4000_0000,
            nr_frames: 16384,
            nr_cpus: 1,
            seed: 1,
            tlb_capacity: 64,
            granules: Granule::ALL.to_vec(),
            ctr: Ctr::default(),
            restlessness: 8,
        }
    }
}

/// What the machine was made to do, for tests that compare costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Translations that a TLB had.
    pub tlb_hits: u64,
    /// Walks for an access, faulting ones included.
    pub walks: u64,
    /// TLBI instructions.
    pub tlbis: u64,
    /// DSB instructions of all kinds.
    pub dsbs: u64,
    /// Instruction cache maintenance instructions.
    pub icache_ops: u64,
}

/// The simulated machine.
#[derive(Debug)]
pub struct Machine {
    pub(crate) phys: Phys,
    pub(crate) pou: Pou,
    pub(crate) frames: Frames,
    pub(crate) cpus: Vec<Cpu>,
    pub(crate) stores: StoreBuffer,
    pub(crate) tables: LiveTables,
    pub(crate) disk: Disk,
    pub(crate) rng: Rng,
    pub(crate) violations: Violations,
    /// Order of events; each operation that others are ordered against takes a tick.
    pub(crate) clock: u64,
    pub(crate) config: Config,
    pub(crate) counters: Counters,
    /// Roots that hold no user mapping: parking places between address spaces.
    pub(crate) reserved_roots: Vec<u64>,
}

impl Machine {
    /// Build a machine. All frames are free, walks are off.
    pub fn new(config: Config) -> Machine {
        assert!((1..=64).contains(&config.nr_cpus), "1 to 64 CPUs");
        Machine {
            phys: Phys::new(config.base, config.nr_frames),
            pou: Pou::new(config.base, config.nr_frames, config.ctr.idc),
            frames: Frames::new(config.base, config.nr_frames),
            cpus: (0..config.nr_cpus).map(|_| Cpu::new(config.tlb_capacity)).collect(),
            stores: StoreBuffer::default(),
            tables: LiveTables::default(),
            disk: Disk::new(config.seed),
            rng: Rng::new(config.seed),
            violations: Violations::default(),
            clock: 1,
            config,
            counters: Counters::default(),
            reserved_roots: Vec::new(),
        }
    }

    /// The machine's configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Counters since the machine was built.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// One of the CPUs.
    pub fn cpu(&self, cpu: usize) -> &Cpu {
        &self.cpus[cpu]
    }

    /// The violations so far.
    pub fn violations(&self) -> &[Violation] {
        self.violations.list()
    }

    /// The violations so far, to begin anew.
    pub fn take_violations(&mut self) -> Vec<Violation> {
        self.violations.take()
    }

    /// Fail with all messages if there was any violation.
    #[track_caller]
    pub fn assert_clean(&self) {
        if self.violations.total() != 0 {
            let text: Vec<String> = self.violations.list().iter().map(|v| format!("  {v}")).collect();
            panic!(
                "{} violations (seed {}):\n{}",
                self.violations.total(),
                self.config.seed,
                text.join("\n")
            );
        }
    }

    /// Declare a root that holds no user mapping, as `reserved_pg_dir` in Linux: loading it parks TTBR0.
    pub fn reserve_root(&mut self, root: u64) {
        self.reserved_roots.push(root);
    }

    /// Write TCR_EL1. In effect after [`Machine::isb`].
    pub fn write_tcr(&mut self, cpu: usize, raw: u64) {
        let tcr = Tcr::from_bits(raw);
        match tcr.tg0 {
            Some(g) if self.config.granules.contains(&g) => {}
            other => self.violations.record(
                ViolationKind::Switch,
                format_args!("CPU {cpu}: TCR_EL1 {raw:#x} asks for a granule it has not: {other:?}"),
            ),
        }
        if !(16..=39).contains(&tcr.t0sz) {
            self.violations.record(
                ViolationKind::Switch,
                format_args!("CPU {cpu}: TCR_EL1 {raw:#x} has T0SZ {}", tcr.t0sz),
            );
        }
        let c = &self.cpus[cpu];
        let walks = [&c.effective, &c.written]
            .iter()
            .any(|r| !r.tcr.epd0 && !self.reserved_roots.contains(&r.root()));
        let reshapes = !tcr.same_shape(c.effective.tcr) || !tcr.same_shape(c.written.tcr);
        if walks && reshapes {
            self.violations.record(
                ViolationKind::Switch,
                format_args!(
                    "CPU {cpu}: TG0 or T0SZ changes while TTBR0 can be walked; park it and ISB first"
                ),
            );
        }
        self.cpus[cpu].written.tcr = tcr;
    }

    /// Write TTBR0_EL1. In effect after [`Machine::isb`].
    pub fn write_ttbr0(&mut self, cpu: usize, raw: u64) {
        let c = &mut self.cpus[cpu];
        c.written.ttbr0 = raw;
        let pending_shape = !c.written.tcr.same_shape(c.effective.tcr);
        let walks = !c.effective.tcr.epd0 && !self.reserved_roots.contains(&c.written.root());
        if pending_shape && walks {
            self.violations.record(
                ViolationKind::Switch,
                format_args!("CPU {cpu}: TTBR0 {raw:#x} loaded before an ISB made the new TCR effective"),
            );
        }
    }

    /// Write TTBR1_EL1, of which only the ASID counts here, with TCR.A1.
    pub fn write_ttbr1(&mut self, cpu: usize, raw: u64) {
        self.cpus[cpu].written.ttbr1 = raw;
    }

    /// ISB, or any other context synchronization event: exception entry and return count too.
    pub fn isb(&mut self, cpu: usize) {
        let c = &mut self.cpus[cpu];
        c.stale_pipeline = false;
        if c.effective == c.written {
            return;
        }
        c.effective = c.written;
        let regs = c.effective;
        if let Some(granule) = regs.tcr.tg0
            && !regs.tcr.epd0
            && !self.reserved_roots.contains(&regs.root())
        {
            self.begin_walking(cpu, &regs, granule);
        }
    }

    /// The CPU now walks a user table: its ASID must be free for that.
    fn begin_walking(&mut self, cpu: usize, regs: &Regs, granule: Granule) {
        let (asid, shape) = (regs.asid(), Shape { root: regs.root(), granule, t0sz: regs.tcr.t0sz });
        if let Some(old) = self.tables.load(cpu, asid, shape) {
            self.violations.record(
                ViolationKind::AsidReuse,
                format_args!("CPU {cpu}: ASID {asid} loaded for {shape}, may still hold that of {old}"),
            );
        }
        for other in (0..self.cpus.len()).filter(|&o| o != cpu) {
            let theirs = &self.cpus[other].effective;
            if self.walks(other) && theirs.asid() == asid && theirs.root() != shape.root {
                self.violations.record(
                    ViolationKind::AsidReuse,
                    format_args!(
                        "ASID {asid} is {:#x} on CPU {cpu}, {:#x} on CPU {other}",
                        shape.root,
                        theirs.root()
                    ),
                );
            }
        }
    }

    /// Can this CPU walk a user table, now or after its next ISB?
    fn walks(&self, cpu: usize) -> bool {
        let c = &self.cpus[cpu];
        [&c.effective, &c.written].iter().any(|r| !r.tcr.epd0 && !self.reserved_roots.contains(&r.root()))
    }

    /// Bit per CPU that uses this ASID.
    pub(crate) fn loaded_on(cpus: &[Cpu], reserved: &[u64], asid: u16) -> u64 {
        let uses = |c: &Cpu| {
            [&c.effective, &c.written]
                .iter()
                .any(|r| !r.tcr.epd0 && !reserved.contains(&r.root()) && r.asid() == asid)
        };
        cpus.iter().enumerate().filter(|(_, c)| uses(c)).fold(0, |mask, (i, _)| mask | 1 << i)
    }

    /// Allocate 2^order naturally aligned frames, full of [`POISON`].
    pub fn alloc(&mut self, order: u32) -> Option<u64> {
        let pa = self.frames.alloc(order, &mut self.rng)?;
        // Free frames are poisoned already, but for those that were never used.
        for frame in (pa..pa + (FRAME_SIZE << order)).step_by(FRAME_SIZE as usize) {
            if self.phys.word(frame) != POISON {
                self.poison(frame, FRAME_SIZE);
            }
        }
        Some(pa)
    }

    /// Free 2^order frames. They are poisoned.
    pub fn free(&mut self, pa: u64, order: u32) {
        use crate::frames::FreeError;
        match self.frames.free(pa, order) {
            Ok(()) => {}
            Err(FreeError::NoBlock) => {
                self.violations.record(
                    ViolationKind::BadFree,
                    format_args!("free of {pa:#x}, order {order}: no such block"),
                );
                return;
            }
            Err(FreeError::Double(frame)) => {
                self.violations.record(
                    ViolationKind::DoubleFree,
                    format_args!("free of {pa:#x}, order {order}: frame {frame:#x} is free already"),
                );
                return;
            }
        }
        let len = FRAME_SIZE << order;
        self.check_not_in_use(pa, len);
        self.poison(pa, len);
    }

    /// New and freed frames hold junk, so that nobody leans on zeros, or on what they held.
    fn poison(&mut self, pa: u64, len: u64) {
        self.phys.fill_words(pa, len, POISON);
        self.stores.forget(pa, len);
    }

    /// Freed frames must be out of reach of every CPU that runs with the ASIDs concerned, and of the disk.
    fn check_not_in_use(&mut self, pa: u64, len: u64) {
        if let Some(id) = self.disk.in_flight_over(pa, len) {
            self.violations.record(
                ViolationKind::FreedWhileInUse,
                format_args!("free of {pa:#x}, {len:#x} bytes: {id:?} is in flight"),
            );
        }
        let (cpus, reserved) = (&self.cpus, &self.reserved_roots);
        let loaded = |asid: u16| Machine::loaded_on(cpus, reserved, asid);
        if let Some(why) = self.tables.freed(pa, len, &loaded) {
            self.violations.record(
                ViolationKind::FreedWhileInUse,
                format_args!("free of {pa:#x}, {len:#x} bytes: {why}"),
            );
            return;
        }
        for (cpu, c) in cpus.iter().enumerate() {
            let inside = |root: u64| root >= pa && root - pa < len;
            if inside(c.effective.root()) || inside(c.written.root()) {
                self.violations.record(
                    ViolationKind::FreedWhileInUse,
                    format_args!("free of {pa:#x}, {len:#x} bytes: it is the root table of CPU {cpu}"),
                );
            }
            let cached = c.tlb.entries().find(|e| {
                let size = if e.target.leaf { e.target.size } else { e.target.granule.size() };
                let in_use = e.target.asid.is_none_or(|a| loaded(a) >> cpu & 1 != 0);
                in_use && e.output < pa + len && pa < e.output + size
            });
            if let Some(entry) = cached {
                self.violations.record(
                    ViolationKind::FreedWhileInUse,
                    format_args!("free of {pa:#x}, {len:#x} bytes: CPU {cpu} has {entry}"),
                );
            }
        }
    }

    /// The frame allocator's books.
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// The frame allocator, to inject failures.
    pub fn frames_mut(&mut self) -> &mut Frames {
        &mut self.frames
    }
}
