//! Linux's model of anonymous folio sizes: one word for each size, one for all that inherit
//! (`/sys/kernel/mm/transparent_hugepage/`, `Documentation/admin-guide/mm/transhuge.rst`).

use crate::types::PAGE_SIZE;
use crate::vma::VmFlags;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The smallest order that can be chosen, as in Linux: 16K.
const MIN_ORDER: u8 = 2;
/// The order of a PMD, which inherits the global word unless told otherwise.
pub const PMD_ORDER: u8 = 9;

/// What `enabled` of one size says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// Wherever it fits.
    Always,
    /// What the global `enabled` says.
    Inherit,
    /// Where MADV_HUGEPAGE asked for it.
    Madvise,
    /// Nowhere.
    Never,
}

impl Enabled {
    /// The words, in the order in which the files show them.
    pub const ALL: [Enabled; 4] = [Enabled::Always, Enabled::Inherit, Enabled::Madvise, Enabled::Never];

    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Enabled::Always => "always",
            Enabled::Inherit => "inherit",
            Enabled::Madvise => "madvise",
            Enabled::Never => "never",
        }
    }
}

/// The words of all sizes and the global one, and what follows from them. Sets of orders: bit n is order n.
pub struct Mthp {
    words: spin::Mutex<Words>,
    /// Orders for areas without a hint: read by every fault.
    plain: AtomicU32,
    /// Orders for areas with MADV_HUGEPAGE.
    hinted: AtomicU32,
}

struct Words {
    sizes: [Enabled; PMD_ORDER as usize + 1],
    global: Enabled,
}

impl Default for Mthp {
    /// Linux's defaults but for the global word: `never`, until the whole of large anonymous memory is there.
    fn default() -> Mthp {
        let mut sizes = [Enabled::Never; PMD_ORDER as usize + 1];
        sizes[usize::from(PMD_ORDER)] = Enabled::Inherit;
        Mthp {
            words: spin::Mutex::new(Words { sizes, global: Enabled::Never }),
            plain: AtomicU32::new(0),
            hinted: AtomicU32::new(0),
        }
    }
}

impl Words {
    /// Whether `order` is on, with or without the hint.
    fn allows(&self, order: u8, hinted: bool) -> bool {
        let word = match self.sizes[usize::from(order)] {
            Enabled::Inherit => self.global,
            word => word,
        };
        word == Enabled::Always || word == Enabled::Madvise && hinted
    }
}

impl Mthp {
    /// The orders that can be chosen.
    pub fn all_orders() -> impl Iterator<Item = u8> {
        MIN_ORDER..=PMD_ORDER
    }

    /// The order of a size in kB, if it can be chosen.
    pub fn order_of(kilobytes: u64) -> Option<u8> {
        Mthp::all_orders().find(|order| (PAGE_SIZE << order) >> 10 == kilobytes)
    }

    /// The word of one size.
    pub fn enabled(&self, order: u8) -> Enabled {
        self.words.lock().sizes[usize::from(order)]
    }

    /// Sets the word of one size.
    pub fn set_enabled(&self, order: u8, enabled: Enabled) {
        self.change(|words| words.sizes[usize::from(order)] = enabled);
    }

    /// The global word; never [`Enabled::Inherit`].
    pub fn global(&self) -> Enabled {
        self.words.lock().global
    }

    /// Sets the global word; [`Enabled::Inherit`] means [`Enabled::Never`].
    pub fn set_global(&self, enabled: Enabled) {
        self.change(|words| {
            words.global = if enabled == Enabled::Inherit { Enabled::Never } else { enabled }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Words)) {
        let mut words = self.words.lock();
        change(&mut words);
        for (orders, hinted) in [(&self.plain, false), (&self.hinted, true)] {
            let allowed = Mthp::all_orders().filter(|order| words.allows(*order, hinted));
            orders.store(allowed.fold(0, |set, order| set | 1 << order), Relaxed);
        }
    }

    /// The orders that an area with `flags` may have (Linux's `thp_vma_allowable_orders`).
    pub(super) fn orders(&self, flags: VmFlags) -> u32 {
        match () {
            () if flags.contains(VmFlags::NOHUGEPAGE) => 0,
            () if flags.contains(VmFlags::HUGEPAGE) => self.hinted.load(Relaxed),
            () => self.plain.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::anon_orders;
    use crate::types::PageSize;
    use crate::vma::Vma;
    use abi::Prot;

    fn orders(mthp: &Mthp, page: PageSize, flags: VmFlags) -> Vec<u8> {
        let mut vma = Vma::anonymous(0x20_0000, 0x80_0000, Prot::READ);
        vma.flags |= flags;
        anon_orders(mthp, page, &vma, 0x45_6789).collect()
    }

    #[test]
    fn words_and_hints() {
        let mthp = Mthp::default();
        let (none, hint) = (VmFlags::empty(), VmFlags::HUGEPAGE);
        assert_eq!(orders(&mthp, PageSize::Size4K, hint), [0]);
        mthp.set_enabled(4, Enabled::Madvise);
        mthp.set_enabled(6, Enabled::Always);
        assert_eq!(orders(&mthp, PageSize::Size4K, none), [6, 0]);
        assert_eq!(orders(&mthp, PageSize::Size16K, hint), [6, 4, 2]);
        mthp.set_global(Enabled::Madvise);
        assert_eq!(orders(&mthp, PageSize::Size64K, hint), [9, 6, 4]);
        assert_eq!(orders(&mthp, PageSize::Size64K, none), [6, 4]);
        assert_eq!(orders(&mthp, PageSize::Size64K, VmFlags::NOHUGEPAGE), [4]);
        assert_eq!((mthp.enabled(9), mthp.global()), (Enabled::Inherit, Enabled::Madvise));
        mthp.set_enabled(6, Enabled::Never);
        assert_eq!(mthp.enabled(6), Enabled::Never);
    }

    #[test]
    fn sizes_have_orders() {
        assert_eq!(Mthp::order_of(64), Some(4));
        assert_eq!(Mthp::order_of(2048), Some(PMD_ORDER));
        assert_eq!(Mthp::order_of(8), None);
        assert_eq!(PAGE_SIZE << PMD_ORDER, 2 << 20);
    }

    #[test]
    fn an_order_must_lie_in_the_area() {
        let mthp = Mthp::default();
        mthp.set_enabled(9, Enabled::Always);
        let vma = Vma::anonymous(0x20_0000, 0x41_0000, Prot::READ);
        let at = |addr| anon_orders(&mthp, PageSize::Size4K, &vma, addr).collect::<Vec<u8>>();
        assert_eq!(at(0x20_0000), [9, 0]);
        assert_eq!(at(0x40_0000), [0]);
    }
}
