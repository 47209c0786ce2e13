//! Larger folios for what is cached in smaller ones: a process with larger pages maps the file. Private to this kernel; what
//! it does to each folio is what Linux's `collapse_file` does.

use super::mapping::AddressSpace;
use super::rmap::EvenCows;
use super::tree::Entry;
use crate::folio::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use core::sync::atomic::Ordering::Relaxed;

/// Why small folios stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConverted {
    /// No block of the size is to be had.
    NoMemory,
    /// Somebody holds one of them: a read or a write in flight, a pipe.
    Busy,
}

/// A fault on the way may hold a folio for a moment: so many times is looked again.
const ATTEMPTS: u32 = 3;

impl<H: Hw> Memory<H> {
    /// Puts one folio of 2^`order` kernel pages in the place of the smaller ones around kernel page `index`, with what they
    /// hold; new folios of the file are at least as large from now on. Blocks, and takes the pages out of all address
    /// spaces: called with no lock held. A page that has left the cache meanwhile, or a folio that is large enough
    /// already, is no error; the caller looks again.
    pub fn convert_folios(&self, mapping: &AddressSpace, index: u64, order: u8) -> Result<(), NotConverted> {
        mapping.raise_min_order(order);
        let start = index >> order << order;
        let folio = self.alloc_folio(order).ok_or(NotConverted::NoMemory)?;
        for _ in 0..ATTEMPTS {
            mapping.unmap_mapping_range(start..start + (1 << order), EvenCows::No);
            match self.replace_small(mapping, Entry { folio, index: start, order }) {
                Replaced::Yes => {
                    Stats::add(&self.stats.file_folios_converted, 1);
                    return Ok(());
                }
                Replaced::NothingToDo => {
                    self.folio_put(folio);
                    return Ok(());
                }
                Replaced::Busy => {}
            }
        }
        self.folio_put(folio);
        Err(NotConverted::Busy)
    }

    /// Under the page cache's lock nobody can take another reference, so folios that only the cache refers to stay as they
    /// are while they are copied.
    fn replace_small(&self, mapping: &AddressSpace, new: Entry) -> Replaced {
        let mut inner = mapping.inner.lock();
        let mut flags = Flags::UPTODATE;
        let mut next = new.index;
        while next < new.end() {
            let Some(small) = inner.tree.get(next) else { return Replaced::NothingToDo };
            if small.order >= new.order {
                return Replaced::NothingToDo;
            }
            let ready =
                self.folio_test(small.folio, Flags::UPTODATE) && !self.folio_test(small.folio, Flags::LOCKED);
            if self.folio_refcount(small.folio) != 1 || !ready {
                return Replaced::Busy;
            }
            for kept in [Flags::DIRTY, Flags::SHMEM] {
                if self.folio_test(small.folio, kept) {
                    flags |= kept;
                }
            }
            self.hw.copy_frames(new.pfn_of(next), small.folio.0, small.order);
            next = small.end();
        }
        self.frame(new.folio.0).index.store(new.index, Relaxed);
        self.folio_set(new.folio, flags);
        inner.tree.replace(new, |small: Entry| self.put_replaced(small.folio));
        Replaced::Yes
    }

    fn put_replaced(&self, folio: Folio) {
        debug_assert_eq!(self.folio_refcount(folio), 1, "a folio that somebody holds was replaced");
        self.folio_put(folio);
    }
}

enum Replaced {
    Yes,
    NothingToDo,
    Busy,
}
