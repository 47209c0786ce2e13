//! Folio sizes: which order to ask for where. A new policy is a function here and a test.

use crate::types::{PAGE_SIZE, PageSize};
use crate::vma::Vma;

/// Orders to try for an anonymous fault at `addr`, largest first, the process order last: each candidate's aligned
/// range lies in the area. Base pages only: the process order is the one candidate.
pub fn anon_orders(page: PageSize, vma: &Vma, addr: u64) -> impl Iterator<Item = u8> {
    let candidates = [page.order()];
    let (start, end) = (vma.start, vma.end);
    candidates.into_iter().filter(move |order| {
        let size = PAGE_SIZE << order;
        let base = addr & !(size - 1);
        base >= start && base.checked_add(size).is_some_and(|top| top <= end)
    })
}
