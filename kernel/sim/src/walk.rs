//! Address translation: TLB look-up, table walk, permission check. Stage 1 of the EL1&0 regime through
//! TTBR0, from the Arm Architecture Reference Manual, sections "Address translation stages", "VMSAv8-64
//! translation table format descriptors", "Stage 1 permissions", "Hardware management of the Access flag
//! and dirty state" and "The Contiguous bit".

use crate::cpu::{Regs, Tcr};
use crate::desc::{self, AF, AP_EL0, AP_READ_ONLY, CONTIGUOUS, DBM, Descriptor, NG, PXN, UXN};
use crate::granule::Granule;
use crate::machine::Machine;
use crate::phys::{POISON, Phys};
use crate::tables::Context;
use crate::tlb::{Entry, Limits};
use crate::tlbi::Target;
use crate::violation::ViolationKind;

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads data.
    Read,
    /// Writes data.
    Write,
    /// Fetches an instruction.
    Fetch,
}

/// Whose permissions count. LDTR and STTR count as EL0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum El {
    /// User.
    El0,
    /// Kernel, through the user mapping.
    El1,
}

/// Why a translation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No valid descriptor.
    Translation,
    /// An output address that is not 48-bit memory.
    AddressSize,
    /// The Access flag is clear.
    AccessFlag,
    /// The mapping does not allow it.
    Permission,
    /// The PC is not a multiple of four.
    Alignment,
}

/// A failed translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub kind: FaultKind,
    /// Level of the descriptor that said so.
    pub level: u8,
    /// The address, as FAR_EL1 would have it.
    pub va: u64,
}

impl Fault {
    /// The fault status code of ESR_EL1: section "ISS encoding for an exception from a Data Abort".
    pub fn status_code(&self) -> u64 {
        let level = u64::from(self.level);
        match self.kind {
            FaultKind::AddressSize => level,
            FaultKind::Translation => 0b000100 | level,
            FaultKind::AccessFlag => 0b001000 | level,
            FaultKind::Permission => 0b001100 | level,
            FaultKind::Alignment => 0b100001,
        }
    }
}

/// A translation that was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The physical address.
    pub pa: u64,
    /// The descriptor it came from, perhaps long gone from memory.
    pub desc: u64,
    /// The descriptor's level.
    pub level: u8,
    /// The table's granule.
    pub granule: Granule,
    /// No walk was needed.
    pub from_tlb: bool,
}

/// What makes the machine walk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// An access that needs the answer.
    Demand,
    /// Hardware's own wish. It faults silently, and changes no descriptor.
    Speculation,
}

/// The table that a walk begins with, and the first level.
pub(crate) fn first_step(tcr: Tcr, granule: Granule) -> (u8, u64) {
    let input_bits = 64 - u32::from(tcr.t0sz);
    let level = granule.start_level(input_bits);
    let entries = 1u64 << (input_bits - granule.level_shift(level));
    (level, entries * 8)
}

impl Limits {
    pub(crate) fn below(self, table: u64, tcr: Tcr) -> Limits {
        if tcr.hpd0 {
            return self;
        }
        Limits {
            no_el0: self.no_el0 || table & desc::AP_TABLE_NO_EL0 != 0,
            read_only: self.read_only || table & desc::AP_TABLE_READ_ONLY != 0,
            uxn: self.uxn || table & desc::UXN_TABLE != 0,
            pxn: self.pxn || table & desc::PXN_TABLE != 0,
        }
    }
}

/// Does a leaf allow an access? `clean_is_writable`: hardware will turn a clean page dirty.
pub(crate) fn permits(desc: u64, limits: Limits, access: Access, el: El, clean_is_writable: bool) -> bool {
    let el0 = desc & AP_EL0 != 0 && !limits.no_el0;
    let read_only = desc & AP_READ_ONLY != 0 && !(clean_is_writable && desc & DBM != 0);
    let writable = !read_only && !limits.read_only;
    match (access, el) {
        (Access::Read, El::El0) => el0,
        (Access::Read, El::El1) => true,
        (Access::Write, El::El0) => el0 && writable,
        (Access::Write, El::El1) => writable,
        (Access::Fetch, El::El0) => desc & UXN == 0 && !limits.uxn,
        // What EL0 can write, EL1 never executes.
        (Access::Fetch, El::El1) => desc & PXN == 0 && !limits.pxn && !(el0 && writable),
    }
}

/// What is wrong with the contiguous set that the entry at `at` belongs to, if anything.
pub(crate) fn contiguous_misuse(phys: &Phys, at: u64, level: u8, granule: Granule) -> Option<String> {
    let count = granule.contiguous_entries(level);
    let bytes = count as u64 * 8;
    let set = at & !(bytes - 1);
    if !phys.contains(set, bytes) {
        return Some(format!("set at {set:#x} is not memory"));
    }
    let entries = phys.words(set, count);
    let size = granule.level_size(level);
    let mut first = None;
    for (i, &raw) in entries.iter().enumerate() {
        let place = set + i as u64 * 8;
        let Descriptor::Leaf { output } = desc::decode(raw, level, granule) else {
            return Some(format!("entry {raw:#x} at {place:#x} is no leaf"));
        };
        let (base, uniform) = *first.get_or_insert((output, desc::uniform_bits(raw)));
        if !base.is_multiple_of(size * count as u64) {
            return Some(format!("set at {set:#x} begins at output {base:#x}, which is not aligned"));
        }
        if output != base + i as u64 * size {
            return Some(format!("entry {raw:#x} at {place:#x} breaks the run from {base:#x}"));
        }
        if desc::uniform_bits(raw) != uniform {
            return Some(format!(
                "entry {raw:#x} at {place:#x} differs in attributes from {:#x}",
                entries[0]
            ));
        }
    }
    None
}

impl Machine {
    /// Translate for an access. Returns the physical address.
    pub fn access(&mut self, cpu: usize, va: u64, access: Access, el: El) -> Result<u64, Fault> {
        self.translate(cpu, va, access, el).map(|t| t.pa)
    }

    /// Translate for an access, with what a test may want to know about it.
    pub fn translate(&mut self, cpu: usize, va: u64, access: Access, el: El) -> Result<Translation, Fault> {
        let regs = self.cpus[cpu].effective;
        let result = self.translate_with(cpu, &regs, va, access, el);
        if let Ok(t) = &result
            && self.phys.contains(t.pa, 1)
            && !self.frames.is_allocated(t.pa)
        {
            self.violations.record(
                ViolationKind::UseAfterFree,
                format_args!("CPU {cpu}: {access:?} at {va:#x} reaches {:#x}, which is free: {t:x?}", t.pa),
            );
        }
        self.wander(cpu, &regs, va);
        result
    }

    /// What hardware does unasked: look ahead, and forget.
    fn wander(&mut self, cpu: usize, regs: &Regs, va: u64) {
        if self.config.restlessness == 0 || !self.rng.one_in(self.config.restlessness) {
            return;
        }
        if let Some(granule) = regs.tcr.tg0
            && let Some(next) = va.checked_add(granule.size())
        {
            self.speculate_with(cpu, regs, next);
        }
        let Machine { cpus, rng, .. } = self;
        cpus[cpu].tlb.evict_one(rng);
    }

    /// Let the CPU walk for this address as if by speculation: it may fill the TLB, and never faults.
    pub fn speculate(&mut self, cpu: usize, va: u64) {
        let regs = self.cpus[cpu].effective;
        self.speculate_with(cpu, &regs, va);
    }

    fn speculate_with(&mut self, cpu: usize, regs: &Regs, va: u64) {
        if let Some((va, granule)) = input_address(regs, va)
            && self.cpus[cpu].tlb.leaf(va, regs.asid()).is_none()
        {
            let _ = self.walk(cpu, regs, granule, va, Purpose::Speculation);
        }
    }

    fn translate_with(
        &mut self,
        cpu: usize,
        regs: &Regs,
        va: u64,
        access: Access,
        el: El,
    ) -> Result<Translation, Fault> {
        let fault = |kind, level| Fault { kind, level, va };
        let Some((input, granule)) = input_address(regs, va) else {
            return Err(fault(FaultKind::Translation, 0));
        };
        let asid = regs.asid();
        self.check_shape(cpu, regs, granule, input);
        let cached = self.cpus[cpu].tlb.leaf(input, asid).copied();
        let from_tlb = cached.is_some();
        let counter = if from_tlb { &mut self.counters.tlb_hits } else { &mut self.counters.walks };
        *counter += 1;
        let mut entry = match cached {
            Some(entry) => entry,
            None => self.walk(cpu, regs, granule, input, Purpose::Demand).map_err(|f| Fault { va, ..f })?,
        };
        let dirty_by_hardware = regs.tcr.ha && regs.tcr.hd;
        if !permits(entry.desc, entry.limits, access, el, dirty_by_hardware) {
            return Err(fault(FaultKind::Permission, entry.target.level));
        }
        if access == Access::Write && entry.writable_clean() {
            entry = self.walk_for_dirty(cpu, regs, granule, input).map_err(|f| Fault { va, ..f })?;
            self.cpus[cpu].tlb.drop_leaf(input, asid);
            if !permits(entry.desc, entry.limits, access, el, dirty_by_hardware) {
                return Err(fault(FaultKind::Permission, entry.target.level));
            }
            if entry.writable_clean() {
                entry.desc &= !AP_READ_ONLY;
                let raw = self.phys.word(entry.source) & !AP_READ_ONLY;
                self.hardware_update(entry.source, raw);
            }
            self.cache_leaf(cpu, entry);
        }
        let t = Translation {
            pa: entry.output_of(input),
            desc: entry.desc,
            level: entry.target.level,
            granule: entry.target.granule,
            from_tlb,
        };
        Ok(t)
    }

    /// A dirty update is atomic with a look at the descriptor in memory: a stale entry can't do it, and an
    /// older value that the walk saw makes the update fail and the walk repeat.
    fn walk_for_dirty(&mut self, cpu: usize, regs: &Regs, granule: Granule, va: u64) -> Result<Entry, Fault> {
        loop {
            self.cpus[cpu].tlb.drop_leaf(va, regs.asid());
            let entry = self.walk(cpu, regs, granule, va, Purpose::Demand)?;
            if self.phys.word(entry.source) == entry.desc {
                return Ok(entry);
            }
            self.stores.observe(entry.source);
        }
    }

    /// An entry made in another granule or T0SZ must not be there for this ASID.
    fn check_shape(&mut self, cpu: usize, regs: &Regs, granule: Granule, va: u64) {
        let asid = regs.asid();
        if let Some(e) = self.cpus[cpu].tlb.drop_other_shape(va, asid, granule, regs.tcr.t0sz) {
            self.violations.record(
                ViolationKind::AsidReuse,
                format_args!(
                    "CPU {cpu}: ASID {asid} runs as {granule:?}, T0SZ {}, and hits {e}",
                    regs.tcr.t0sz
                ),
            );
        }
    }

    fn walk(
        &mut self,
        cpu: usize,
        regs: &Regs,
        granule: Granule,
        va: u64,
        purpose: Purpose,
    ) -> Result<Entry, Fault> {
        let fault = |kind, level| Fault { kind, level, va };
        let (asid, root) = (regs.asid(), regs.root());
        if regs.tcr.epd0 {
            return Err(fault(FaultKind::Translation, 0));
        }
        let (start, root_bytes) = first_step(regs.tcr, granule);
        let (mut level, mut table, mut limits) = (start, root, Limits::default());
        if let Some(e) = self.cpus[cpu].tlb.deepest_table(va, asid) {
            if e.root != root {
                self.violations.record(
                    ViolationKind::AsidReuse,
                    format_args!("CPU {cpu}: ASID {asid} walks from {root:#x}, and hits {e}"),
                );
            }
            (level, table, limits) = (e.target.level + 1, e.output, e.limits);
        }
        loop {
            let bytes = if level == start { root_bytes } else { granule.size() };
            let size = granule.level_size(level);
            if level == start && !table.is_multiple_of(root_bytes.max(64)) {
                self.report_descriptor(format_args!("CPU {cpu}: root {table:#x} is not aligned to its size"));
                return Err(fault(FaultKind::AddressSize, level));
            }
            let covered = bytes / 8 * size;
            let context = Context { asid, va: va & !(covered - 1) };
            let source = table + (va % covered) / size * 8;
            if self.phys.contains(table, bytes) && !self.reserved_roots.contains(&root) {
                self.tables.walked(table, bytes, granule, level, context);
            }
            let mut raw = self.read_descriptor(cpu, source, va);
            let wrong = desc::reserved_bits(raw, level, granule);
            if wrong != 0 {
                self.report_descriptor(format_args!(
                    "CPU {cpu}: level {level} descriptor {raw:#x} at {source:#x} has bits {wrong:#x} set"
                ));
            }
            let target = Target { asid: Some(asid), granule, level, leaf: false, va: va & !(size - 1), size };
            let mut entry = Entry {
                target,
                output: 0,
                desc: raw,
                source,
                limits,
                contiguous: false,
                t0sz: regs.tcr.t0sz,
                root,
                made: self.clock,
            };
            match desc::decode(raw, level, granule) {
                Descriptor::Invalid => return Err(fault(FaultKind::Translation, level)),
                Descriptor::Table { next } => {
                    limits = limits.below(raw, regs.tcr);
                    (entry.output, entry.limits) = (next, limits);
                    let Machine { cpus, rng, .. } = self;
                    cpus[cpu].tlb.insert_table(entry, rng);
                    (level, table) = (level + 1, next);
                }
                Descriptor::Leaf { output } => {
                    if raw & AF == 0 {
                        if !regs.tcr.ha || purpose == Purpose::Speculation {
                            return Err(fault(FaultKind::AccessFlag, level));
                        }
                        if self.phys.word(source) != raw {
                            // What was read is an older value; the atomic update fails and the walk repeats.
                            self.stores.observe(source);
                            continue;
                        }
                        raw |= AF;
                        self.hardware_update(source, raw);
                    }
                    entry.desc = raw;
                    entry.output = output;
                    entry.target.leaf = true;
                    entry.target.asid = (raw & NG != 0).then_some(asid);
                    if raw & CONTIGUOUS != 0 && !self.widen(cpu, &mut entry, purpose) {
                        return Err(fault(FaultKind::Translation, level));
                    }
                    self.cache_leaf(cpu, entry);
                    return Ok(entry);
                }
            }
        }
    }

    /// Check a contiguous set, and decide how much of it the TLB caches. False: a speculative walk gives up.
    fn widen(&mut self, cpu: usize, entry: &mut Entry, purpose: Purpose) -> bool {
        let Target { granule, level, .. } = entry.target;
        if let Some(what) = contiguous_misuse(&self.phys, entry.source, level, granule) {
            // A set that is being written entry by entry may be seen half done by speculation only.
            if purpose == Purpose::Speculation {
                return false;
            }
            self.violations.record(
                ViolationKind::Contiguous,
                format_args!("CPU {cpu}: walk of {:#x}: {what}", entry.target.va),
            );
            return true;
        }
        entry.contiguous = true;
        if self.rng.coin() {
            let whole = entry.target.size * granule.contiguous_entries(level) as u64;
            entry.target.va &= !(whole - 1);
            entry.output &= !(whole - 1);
            entry.target.size = whole;
        }
        true
    }

    fn cache_leaf(&mut self, cpu: usize, entry: Entry) {
        let Machine { cpus, rng, violations, .. } = self;
        if let Some(old) = cpus[cpu].tlb.insert_leaf(entry, rng) {
            violations.record(ViolationKind::TlbConflict, format_args!("CPU {cpu}: {old} against {entry}"));
        }
    }

    /// A walker's read: it may see a value from before a store that no DSB followed.
    fn read_descriptor(&mut self, cpu: usize, pa: u64, va: u64) -> u64 {
        if !self.phys.contains(pa, 8) {
            self.violations.record(
                ViolationKind::OutOfRange,
                format_args!("CPU {cpu}: walk of {va:#x} reads a descriptor at {pa:#x}: no memory there"),
            );
            return POISON & !desc::VALID;
        }
        if !self.frames.is_allocated(pa) {
            self.violations.record(
                ViolationKind::UseAfterFree,
                format_args!("CPU {cpu}: walk of {va:#x} reads a descriptor at {pa:#x}, which is free"),
            );
            return POISON & !desc::VALID;
        }
        if let Some(store) = self.stores.find(pa) {
            let old = store.old;
            if self.rng.coin() {
                return old;
            }
            self.stores.observe(pa);
        }
        if self.stores.in_bulk(pa) {
            self.violations.record(
                ViolationKind::MissingBarrier,
                format_args!(
                    "CPU {cpu}: walk of {va:#x} reads {pa:#x}, filled with no barrier before its link"
                ),
            );
        }
        self.phys.word(pa)
    }

    /// The walker's own store, which is coherent with everything.
    fn hardware_update(&mut self, pa: u64, raw: u64) {
        self.pou.before_write(&self.phys, pa, 8);
        self.phys.set_word(pa, raw);
    }

    fn report_descriptor(&mut self, message: std::fmt::Arguments<'_>) {
        self.violations.record(ViolationKind::Descriptor, message);
    }
}

/// The address that a walk translates, and in which granule. `None`: it belongs to no TTBR0 walk.
fn input_address(regs: &Regs, va: u64) -> Option<(u64, Granule)> {
    let granule = regs.tcr.tg0?;
    // With TBI0 the top byte is ignored, and bit 55 alone chooses the TTBR.
    let va = if regs.tcr.tbi0 && va >> 55 & 1 == 0 { va & ((1 << 55) - 1) } else { va };
    let input_bits = 64 - u32::from(regs.tcr.t0sz);
    (va >> input_bits == 0).then_some((va, granule))
}
