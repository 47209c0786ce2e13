//! Address space identifiers, after Linux's `arch/arm64/mm/context.c`: an ASID is good for one generation. When
//! they run out a new generation begins, and every TLB is flushed before any ASID is used again. So none is ever
//! reused, under whatever granule, with old entries alive.

use crate::arm64::geometry::Geometry;
use crate::arm64::table::Table;
use crate::arm64::tlb::Tlbi;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PageSize, PhysAddr};
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

const ASID_MASK: u64 = 0xffff;
const GENERATION: u64 = 1 << 16;

/// The ASIDs of the machine.
pub struct Asids {
    state: spin::Mutex<State>,
}

struct State {
    /// Multiple of GENERATION.
    generation: u64,
    next: u64,
    nr_asids: u64,
    used: Vec<u64>,
    /// The context that each CPU runs, kept over a rollover.
    active: Vec<u64>,
}

/// What a CPU needs to know of an address space to switch to it, readable without a lock: its claim to an ASID, and the
/// root and granule of its live table.
pub struct Context {
    /// Generation and number; 0 when it never had one.
    id: AtomicU64,
    root: AtomicU64,
    /// log2 of the live table's page in bytes.
    page_shift: AtomicU32,
    /// Bits of the addresses that the live table translates.
    va_bits: AtomicU32,
}

/// The table that hardware walks, as a switch to it needs it.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// What TTBR0_EL1 holds besides the ASID.
    pub root: PhysAddr,
    /// Its granule.
    pub geometry: &'static Geometry,
    /// TCR_EL1.T0SZ.
    pub t0sz: u64,
}

impl Context {
    pub(super) fn new(live: &Table) -> Context {
        let context = Context {
            id: AtomicU64::new(0),
            root: AtomicU64::new(0),
            page_shift: AtomicU32::new(0),
            va_bits: AtomicU32::new(0),
        };
        context.set_live(live);
        context
    }

    /// The ASID that TLB maintenance for this address space uses. One of a past generation matches nothing that
    /// the address space left behind, because the rollover flushed that.
    pub fn asid(&self) -> u16 {
        (self.id.load(Relaxed) & ASID_MASK) as u16
    }

    /// The table to load. Read with interrupts off and used before they are on again: [`Hw::leave_tables`] waits for that.
    pub fn live(&self) -> Live {
        let page = PageSize::ALL.into_iter().find(|page| page.shift() == self.page_shift.load(Acquire));
        Live {
            root: PhysAddr(self.root.load(Relaxed)),
            geometry: Geometry::of(page.unwrap_or(PageSize::Size4K)),
            t0sz: 64 - u64::from(self.va_bits.load(Relaxed)),
        }
    }

    /// Another table is walked from the next switch on, under a new ASID.
    pub(super) fn set_live(&self, live: &Table) {
        self.id.store(0, Relaxed);
        self.root.store(live.root().0, Relaxed);
        self.va_bits.store(live.va_bits(), Relaxed);
        self.page_shift.store(live.geometry().page_shift, Release);
    }
}

impl Asids {
    /// `bits` is 8 or 16. ASID 0 is never given out: it belongs to the empty table.
    pub fn new(bits: u32, nr_cpus: usize) -> Asids {
        let nr_asids = 1u64 << bits;
        Asids {
            state: spin::Mutex::new(State {
                generation: GENERATION,
                next: 1,
                nr_asids,
                used: vec![0; (nr_asids / 64) as usize],
                active: vec![0; nr_cpus],
            }),
        }
    }
}

impl State {
    fn try_take(&mut self, asid: u64) -> bool {
        let (word, bit) = ((asid / 64) as usize, 1u64 << (asid % 64));
        let free = self.used[word] & bit == 0;
        self.used[word] |= bit;
        free
    }

    fn take_next(&mut self) -> Option<u64> {
        while self.next < self.nr_asids {
            let asid = self.next;
            self.next += 1;
            if self.try_take(asid) {
                return Some(asid);
            }
        }
        None
    }
}

impl<H: Hw> Memory<H> {
    /// The ASID to load for `context` on `cpu`, of the current generation (Linux's `check_and_switch_context`).
    /// Called with interrupts off, before TTBR0 is written. May flush all TLBs.
    pub fn switch_context(&self, context: &Context, cpu: usize) -> u16 {
        let mut state = self.asids.state.lock();
        let old = context.id.load(Relaxed);
        if old & !ASID_MASK != state.generation {
            let asid = self.new_context(&mut state, old);
            context.id.store(asid, Relaxed);
        }
        let now = context.id.load(Relaxed);
        state.active[cpu] = now;
        (now & ASID_MASK) as u16
    }

    /// CPU `cpu` no longer runs a user address space.
    pub fn leave_context(&self, cpu: usize) {
        self.asids.state.lock().active[cpu] = 0;
    }

    fn new_context(&self, state: &mut State, old: u64) -> u64 {
        // A context that was running elsewhere at the rollover keeps its number.
        if old != 0 && state.active.contains(&old) {
            let kept = (old & ASID_MASK) | state.generation;
            for active in state.active.iter_mut().filter(|active| **active == old) {
                *active = kept;
            }
            return kept;
        }
        if let Some(asid) = state.take_next() {
            return asid | state.generation;
        }
        state.generation += GENERATION;
        state.used.fill(0);
        state.next = 1;
        for i in 0..state.active.len() {
            let asid = state.active[i] & ASID_MASK;
            state.try_take(asid);
        }
        Stats::add(&self.stats.asid_rollover, 1);
        self.hw.tlbi(Tlbi::All);
        self.hw.dsb_ish();
        match state.take_next() {
            Some(asid) => asid | state.generation,
            // Fewer CPUs than ASIDs: cannot happen with 8 bits and up to 255 CPUs.
            None => state.generation | 1,
        }
    }
}
