//! Folio sizes: which order to ask for where. A new policy is a function here and a test.

mod mthp;

pub use mthp::{Enabled, Mthp};

use crate::types::{PAGE_SIZE, PageSize};
use crate::vma::Vma;

/// Orders to try for an anonymous fault at `addr`, largest first, the process order last: each candidate's aligned
/// range lies in the area.
#[inline]
pub fn anon_orders(mthp: &Mthp, page: PageSize, vma: &Vma, addr: u64) -> impl Iterator<Item = u8> + use<> {
    let base = 1u32 << page.order();
    let mut candidates = mthp.orders(vma.flags) & !(base - 1) | base;
    let (start, end) = (vma.start, vma.end);
    core::iter::from_fn(move || {
        while candidates != 0 {
            let order = candidates.ilog2() as u8;
            candidates ^= 1 << order;
            let size = PAGE_SIZE << order;
            let base = addr & !(size - 1);
            if base >= start && base.checked_add(size).is_some_and(|top| top <= end) {
                return Some(order);
            }
        }
        None
    })
}
