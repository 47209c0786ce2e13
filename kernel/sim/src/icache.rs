//! Instruction fetch: a per-CPU cache of lines of physical memory, behind it memory as the point of
//! unification (PoU) holds it. A store reaches neither by itself. Arm Architecture Reference Manual,
//! sections "Synchronization and coherency issues between data and instruction accesses" and "CTR_EL0,
//! Cache Type Register" (IDC, DIC).

use std::collections::HashMap;

use crate::phys::{FRAME_SIZE, Phys};
use crate::rng::Rng;
use crate::tlbi::Scope;

/// Bytes in a cache line.
pub const LINE: u64 = 64;
const LINE_WORDS: usize = (LINE / 8) as usize;
/// Lines in an instruction cache.
const CAPACITY: usize = 512;

/// What CTR_EL0 promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ctr {
    /// Stores reach the PoU without cleaning.
    pub idc: bool,
    /// The instruction cache needs no invalidation.
    pub dic: bool,
}

/// Memory as the PoU holds it, where that differs from memory as data accesses see it.
#[derive(Debug)]
pub(crate) struct Pou {
    base: u64,
    /// The content of unclean lines; meaningless for others.
    words: Vec<u64>,
    /// Per frame, a bit per line that was written and not cleaned since. 64 lines fill a frame exactly.
    unclean: Vec<u64>,
    idc: bool,
}

impl Pou {
    pub fn new(base: u64, nr_frames: usize, idc: bool) -> Pou {
        let words = if idc { 0 } else { nr_frames * (FRAME_SIZE as usize / 8) };
        Pou { base, words: vec![0; words], unclean: vec![0; nr_frames], idc }
    }

    fn place(&self, pa: u64) -> (usize, u64) {
        let offset = pa - self.base;
        ((offset / FRAME_SIZE) as usize, 1 << (offset % FRAME_SIZE / LINE))
    }

    /// Memory is about to be written: the PoU keeps what it has.
    pub fn before_write(&mut self, phys: &Phys, pa: u64, len: u64) {
        if self.idc {
            return;
        }
        let mut line = pa & !(LINE - 1);
        while line < pa + len {
            let (frame, bit) = self.place(line);
            if self.unclean[frame] & bit == 0 {
                self.unclean[frame] |= bit;
                let at = ((line - self.base) / 8) as usize;
                self.words[at..at + LINE_WORDS].copy_from_slice(phys.words(line, LINE_WORDS));
            }
            line += LINE;
        }
    }

    /// Is the line's content still only on the data side?
    pub fn is_unclean(&self, pa: u64) -> bool {
        let (frame, bit) = self.place(pa);
        self.unclean[frame] & bit != 0
    }

    pub fn clean(&mut self, pa: u64) {
        let (frame, bit) = self.place(pa);
        self.unclean[frame] &= !bit;
    }

    fn line(&self, phys: &Phys, line: u64) -> [u64; LINE_WORDS] {
        let words = if self.is_unclean(line) {
            let at = ((line - self.base) / 8) as usize;
            &self.words[at..at + LINE_WORDS]
        } else {
            phys.words(line, LINE_WORDS)
        };
        words.try_into().expect("a line of words")
    }
}

/// A maintenance instruction between its issue and the DSB that completes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maintenance {
    /// DC CVAU.
    Clean(u64),
    /// IC IVAU.
    Invalidate(u64),
    /// IC IALLU or IALLUIS.
    InvalidateAll(Scope),
}

impl Maintenance {
    /// Does this instruction cache operation need the other, a clean, to be complete?
    pub fn leans_on(self, other: Maintenance) -> bool {
        match (self, other) {
            (Maintenance::Invalidate(a), Maintenance::Clean(b)) => a == b,
            (Maintenance::InvalidateAll(_), Maintenance::Clean(_)) => true,
            _ => false,
        }
    }
}

/// The instruction cache of one CPU.
#[derive(Debug, Default)]
pub(crate) struct InstructionCache {
    /// Address of each line and its bytes, in the order of filling but for evictions.
    lines: HashMap<u64, [u64; LINE_WORDS]>,
    order: Vec<u64>,
}

impl InstructionCache {
    /// The four bytes at an aligned address, as this CPU would execute them.
    pub fn fetch(&mut self, pa: u64, pou: &Pou, phys: &Phys, dic: bool, rng: &mut Rng) -> u32 {
        let line = pa & !(LINE - 1);
        let words = match self.lines.get(&line) {
            Some(words) if !dic => *words,
            _ => {
                let words = pou.line(phys, line);
                self.fill(line, words, rng);
                words
            }
        };
        let word = words[((pa - line) / 8) as usize];
        if pa.is_multiple_of(8) { word as u32 } else { (word >> 32) as u32 }
    }

    fn fill(&mut self, line: u64, words: [u64; LINE_WORDS], rng: &mut Rng) {
        if self.lines.insert(line, words).is_some() {
            return;
        }
        if self.order.len() == CAPACITY {
            let victim = rng.below(CAPACITY);
            self.lines.remove(&self.order.swap_remove(victim));
        }
        self.order.push(line);
    }

    pub fn invalidate(&mut self, line: u64) {
        if self.lines.remove(&line).is_some() {
            self.order.retain(|l| *l != line);
        }
    }

    pub fn invalidate_all(&mut self) {
        self.lines.clear();
        self.order.clear();
    }
}
