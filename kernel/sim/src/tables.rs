//! The break-before-make detector: which translation tables a walker of some CPU may be reading, and which
//! descriptors a TLB may still hold although memory no longer has them. Arm Architecture Reference Manual,
//! section "Using break-before-make when updating translation table entries".
//!
//! Hardware walks when it likes, so the detector does not ask whether a TLB did cache a descriptor, only
//! whether one could: a table is known from the first walk through it, and from then on each valid
//! descriptor in it counts as cached, until it was made invalid and a TLBI that covers it has completed.
//!
//! Only ASIDs that some CPU uses at the time count. A kernel may leave an ASID for good without a TLBI and go
//! on changing the tables, as long as it flushes that ASID before its next use; which of its ASIDs it has
//! left it does not say. What it forgot to flush then shows in a TLB when the ASID comes back.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::desc::{AF, CONTIGUOUS, Descriptor, NG, VALID, decode, needs_break};
use crate::granule::Granule;
use crate::phys::{FRAME_SIZE, Phys};
use crate::tlbi::{Target, Tlbi};

/// The tables that an ASID stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub root: u64,
    pub granule: Granule,
    pub t0sz: u8,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "root {:#x}, {:?}, T0SZ {}", self.root, self.granule, self.t0sz)
    }
}

/// Where in an address space a table is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub asid: u16,
    /// First address that the table translates.
    pub va: u64,
}

#[derive(Debug)]
struct Table {
    base: u64,
    granule: Granule,
    level: u8,
    contexts: Vec<Context>,
}

/// A descriptor that is no longer in memory, and may be in a TLB.
#[derive(Debug)]
struct Broken {
    value: u64,
    /// When it left memory. Only a later TLBI counts.
    when: u64,
    /// What may hold it: what to match, and on which CPUs.
    held: Vec<(Target, u64)>,
}

impl Broken {
    /// May a CPU that uses the ASID now, or will, meet it? `held` only lists what no TLBI has covered.
    fn in_use(&self, loaded: &dyn Fn(u16) -> u64) -> bool {
        self.held.iter().any(|(target, _)| target.asid.is_none_or(|asid| loaded(asid) != 0))
    }
}

/// What a store is judged by.
pub(crate) struct StoreContext<'a> {
    /// The moment.
    pub now: u64,
    /// Some CPU sets Access flags itself, so entries without it can be cached at any moment.
    pub hardware_af: bool,
    /// Memory, with the store already done.
    pub phys: &'a Phys,
    /// On which CPUs an ASID is in use.
    pub loaded: &'a dyn Fn(u16) -> u64,
}

#[derive(Debug, Default)]
struct Holder {
    /// Bit per CPU that may hold entries of this ASID.
    cpus: u64,
    shapes: Vec<(usize, Shape)>,
}

/// What a store to a descriptor means.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// A change without break-before-make: what changed, and the descriptor that may be cached.
    pub broke: Option<(&'static str, u64)>,
    /// The old value may be cached, so it takes a TLBI to get rid of it.
    pub revokes: bool,
    /// It links this table, so the table's content must be visible before.
    pub links: Option<(u64, u64)>,
    /// An address that is translated through the descriptor, and its ASID.
    pub translates: Option<(u16, u64)>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct LiveTables {
    /// Per frame, the base of the table in it.
    by_frame: HashMap<u64, u64>,
    tables: HashMap<u64, Table>,
    broken: BTreeMap<u64, Broken>,
    holders: HashMap<u16, Holder>,
}

impl LiveTables {
    /// A CPU begins to walk for an ASID. Returns what the CPU may still hold for it from before, if that
    /// may contradict.
    pub fn load(&mut self, cpu: usize, asid: u16, shape: Shape) -> Option<Shape> {
        let holder = self.holders.entry(asid).or_default();
        holder.cpus |= 1 << cpu;
        let Some((_, held)) = holder.shapes.iter_mut().find(|(c, _)| *c == cpu) else {
            holder.shapes.push((cpu, shape));
            return None;
        };
        let old = std::mem::replace(held, shape);
        (old != shape).then_some(old)
    }

    /// A walk reads this table.
    pub fn walked(&mut self, base: u64, bytes: u64, granule: Granule, level: u8, context: Context) {
        let table = self.tables.entry(base).or_insert_with(|| {
            for frame in (base / FRAME_SIZE)..=((base + bytes - 1) / FRAME_SIZE) {
                self.by_frame.insert(frame, base);
            }
            Table { base, granule, level, contexts: Vec::new() }
        });
        if (table.granule, table.level) != (granule, level) {
            (table.granule, table.level) = (granule, level);
            table.contexts.clear();
        }
        if !table.contexts.contains(&context) {
            table.contexts.push(context);
        }
    }

    /// Is any of this memory a table that is walked?
    pub fn any_in(&self, pa: u64, len: u64) -> bool {
        !self.tables.is_empty()
            && (pa / FRAME_SIZE..=(pa + len.max(1) - 1) / FRAME_SIZE).any(|f| self.by_frame.contains_key(&f))
    }

    fn table_of(&self, pa: u64) -> Option<&Table> {
        self.tables.get(self.by_frame.get(&(pa / FRAME_SIZE))?)
    }

    /// Who may hold `value` from the descriptor at `pa`.
    fn holders_of(&self, table: &Table, pa: u64, value: u64) -> Vec<(Target, u64)> {
        let leaf = matches!(decode(value, table.level, table.granule), Descriptor::Leaf { .. });
        let size = table.granule.level_size(table.level);
        let contexts = table.contexts.iter().filter_map(|c| {
            let cpus = self.holders.get(&c.asid).map_or(0, |h| h.cpus);
            let target = Target {
                asid: (!leaf || value & NG != 0).then_some(c.asid),
                granule: table.granule,
                level: table.level,
                leaf,
                va: c.va + (pa - table.base) / 8 * size,
                size,
            };
            (cpus != 0).then_some((target, cpus))
        });
        contexts.collect()
    }

    /// A store to memory that may be a descriptor.
    pub fn store(&mut self, pa: u64, old: u64, new: u64, context: &StoreContext<'_>) -> Verdict {
        let StoreContext { now, hardware_af, loaded, .. } = *context;
        let mut verdict = Verdict::default();
        let Some(table) = self.table_of(pa) else { return verdict };
        let (granule, level) = (table.granule, table.level);
        let va_of = |c: &Context| c.va + (pa - table.base) / 8 * granule.level_size(level);
        verdict.translates = table.contexts.last().map(|c| (c.asid, va_of(c)));
        let cacheable = |v: u64| match decode(v, level, granule) {
            Descriptor::Invalid => false,
            Descriptor::Table { .. } => true,
            Descriptor::Leaf { .. } => v & AF != 0 || hardware_af,
        };
        let held = self.broken.get(&pa).map(|b| b.value).or(cacheable(old).then_some(old));
        let holders = match held {
            Some(value) => self.holders_of(table, pa, value),
            None => Vec::new(),
        };
        verdict.revokes = cacheable(old) && old != new && !holders.is_empty();
        if decode(new, level, granule) == Descriptor::Invalid {
            if let Some(value) = held
                && !holders.is_empty()
            {
                let broken = Broken { value, when: now, held: holders };
                self.broken.entry(pa).or_insert(broken);
            }
            return verdict;
        }
        if let Descriptor::Table { next } = decode(new, level, granule) {
            verdict.links = Some((next, granule.size()));
        }
        let in_use = match self.broken.get(&pa) {
            Some(broken) => broken.in_use(loaded),
            None => holders.iter().any(|(t, _)| t.asid.is_none_or(|asid| loaded(asid) != 0)),
        };
        if let Some(value) = held
            && in_use
        {
            verdict.broke = needs_break(value, new, level, granule).map(|why| (why, value));
        }
        if verdict.broke.is_none() {
            verdict.broke = self.contiguous_neighbours(table, pa, new, &cacheable, context);
        }
        self.broken.remove(&pa);
        verdict
    }

    /// An entry with the Contiguous bit may be cached for its whole set: a new leaf must not contradict
    /// what is, or may still be cached, from its neighbours in the set.
    fn contiguous_neighbours(
        &self,
        table: &Table,
        pa: u64,
        new: u64,
        cacheable: &impl Fn(u64) -> bool,
        context: &StoreContext<'_>,
    ) -> Option<(&'static str, u64)> {
        let StoreContext { phys, loaded, .. } = *context;
        if table.contexts.iter().all(|c| loaded(c.asid) == 0) {
            return None;
        }
        let (granule, level) = (table.granule, table.level);
        let Descriptor::Leaf { output } = decode(new, level, granule) else { return None };
        let bytes = granule.contiguous_entries(level) as u64 * 8;
        let set = pa & !(bytes - 1);
        if set < table.base || !phys.contains(set, bytes) {
            return None;
        }
        for at in (set..set + bytes).step_by(8).filter(|&at| at != pa) {
            let live = phys.word(at);
            let gone = || self.broken.get(&at).filter(|b| b.in_use(loaded)).map(|b| b.value);
            let neighbour = if live & VALID != 0 && cacheable(live) { Some(live) } else { gone() };
            let Some(neighbour) = neighbour else { continue };
            let Descriptor::Leaf { output: other } = decode(neighbour, level, granule) else { continue };
            if (neighbour | new) & CONTIGUOUS == 0 {
                continue;
            }
            if (neighbour ^ new) & CONTIGUOUS != 0 {
                return Some(("Contiguous bit beside a neighbour that may be cached", neighbour));
            }
            let size = granule.level_size(level);
            let distance = (at as i64 - pa as i64) / 8 * size as i64;
            if output.wrapping_add_signed(distance) != other {
                return Some(("output address beside a contiguous neighbour", neighbour));
            }
        }
        None
    }

    /// Would a TLBI that is issued now be about the value that a store at `pa` replaced?
    pub fn revoked_by(&self, pa: u64, old: u64, tlbi: &Tlbi) -> bool {
        self.table_of(pa)
            .is_some_and(|table| self.holders_of(table, pa, old).iter().any(|(t, _)| tlbi.covers(t)))
    }

    /// A TLBI has completed on these CPUs. `loaded` says on which CPUs an ASID is in use now: those go on
    /// walking.
    pub fn invalidated(&mut self, tlbi: &Tlbi, issued: u64, reach: u64, loaded: &dyn Fn(u16) -> u64) {
        let mut unlinked = Vec::new();
        self.broken.retain(|_, broken| {
            if broken.when >= issued {
                return true;
            }
            let value = broken.value;
            broken.held.retain_mut(|(target, cpus)| {
                if tlbi.covers(target) {
                    *cpus &= !reach;
                }
                if *cpus == 0
                    && !target.leaf
                    && let Some(asid) = target.asid
                {
                    unlinked.push((asid, target.granule, target.level, target.va, target.size, value));
                }
                *cpus != 0
            });
            !broken.held.is_empty()
        });
        for (asid, granule, level, va, size, _) in unlinked {
            self.forget_contexts(|table, c| {
                c.asid == asid
                    && table.granule == granule
                    && table.level > level
                    && c.va >= va
                    && c.va - va < size
            });
        }
        let mut retired = Vec::new();
        self.holders.retain(|asid, holder| {
            if tlbi.covers_asid(*asid) {
                let gone = reach & !loaded(*asid);
                holder.cpus &= !gone;
                holder.shapes.retain(|(cpu, _)| gone & (1 << cpu) == 0);
            }
            if holder.cpus == 0 {
                retired.push(*asid);
            }
            holder.cpus != 0
        });
        if !retired.is_empty() {
            self.forget_contexts(|_, c| retired.contains(&c.asid));
        }
    }

    /// Forget uses of tables; a table without any is no longer known.
    fn forget_contexts(&mut self, gone: impl Fn(&Table, &Context) -> bool) {
        self.tables.retain(|_, table| {
            let mut contexts = std::mem::take(&mut table.contexts);
            contexts.retain(|c| !gone(table, c));
            table.contexts = contexts;
            !table.contexts.is_empty()
        });
        self.by_frame.retain(|_, base| self.tables.contains_key(base));
    }

    /// Frames are freed. Returns why that is too early, if it is; forgets what was in them.
    pub fn freed(&mut self, pa: u64, len: u64, loaded: &dyn Fn(u16) -> u64) -> Option<String> {
        let within = |at: u64| at >= pa && at - pa < len;
        let mut why = None;
        for frame in pa / FRAME_SIZE..(pa + len) / FRAME_SIZE {
            let Some(base) = self.by_frame.remove(&frame) else { continue };
            let Some(table) = self.tables.remove(&base) else { continue };
            if let Some(c) = table.contexts.iter().find(|c| loaded(c.asid) != 0) {
                why = Some(format!(
                    "level {} table {base:#x} of ASID {} at {:#x} can still be walked",
                    table.level, c.asid, c.va
                ));
            }
        }
        for (at, broken) in &self.broken {
            for (target, cpus) in &broken.held {
                let (Descriptor::Leaf { output: to } | Descriptor::Table { next: to }) =
                    decode(broken.value, target.level, target.granule)
                else {
                    continue;
                };
                let size = if target.leaf { target.size } else { target.granule.size() };
                let in_use = target.asid.is_none_or(|asid| loaded(asid) & cpus != 0);
                if in_use && to < pa + len && pa < to + size {
                    why = Some(format!(
                        "descriptor {:#x} at {at:#x} for {:#x} was cleared, and no completed TLBI covers it",
                        broken.value, target.va
                    ));
                }
            }
        }
        self.broken.retain(|at, _| !within(*at));
        why
    }
}
