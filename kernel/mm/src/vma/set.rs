//! The areas of one address space, in order of address. A sorted vector: found by bisection, changed by moving what
//! lies behind, which is cheap up to thousands of areas; allocation can fail and says so.

use super::{VmFlags, Vma};
use abi::Errno;
use alloc::vec::Vec;

/// Most areas that one address space may have (Linux's `vm.max_map_count`).
pub const MAX_MAP_COUNT: usize = 65530;

/// Areas that do not overlap, sorted.
#[derive(Default)]
pub struct VmaSet {
    vmas: Vec<Vma>,
}

impl VmaSet {
    /// All areas, lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Vma> + ExactSizeIterator {
        self.vmas.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.vmas.len()
    }

    /// Position of the first area that ends above `addr` (Linux's `find_vma`).
    fn position(&self, addr: u64) -> usize {
        self.vmas.partition_point(|vma| vma.end <= addr)
    }

    /// The first area that ends above `addr`; it may begin above, too.
    pub fn find(&self, addr: u64) -> Option<&Vma> {
        self.vmas.get(self.position(addr))
    }

    /// The area that holds `addr`.
    pub fn at(&self, addr: u64) -> Option<&Vma> {
        self.find(addr).filter(|vma| vma.start <= addr)
    }

    /// The area that holds `addr`, to change what is not its place.
    pub fn at_mut(&mut self, addr: u64) -> Option<&mut Vma> {
        let position = self.position(addr);
        self.vmas.get_mut(position).filter(|vma| vma.start <= addr)
    }

    /// The last area that ends at or below `addr`.
    pub fn before(&self, addr: u64) -> Option<&Vma> {
        self.vmas[..self.vmas.partition_point(|vma| vma.end <= addr)].last()
    }

    /// The areas that overlap `start..end`.
    pub fn overlapping(&self, start: u64, end: u64) -> &[Vma] {
        let first = self.position(start);
        let count = self.vmas[first..].partition_point(|vma| vma.start < end);
        &self.vmas[first..first + count]
    }

    /// Makes room for `more` areas, so that as many insertions and splits cannot fail. ENOMEM as well when that would
    /// be too many.
    pub fn reserve(&mut self, more: usize) -> Result<(), Errno> {
        if self.vmas.len() + more > MAX_MAP_COUNT {
            return Err(Errno::ENOMEM);
        }
        self.vmas.try_reserve(more).map_err(|_| Errno::ENOMEM)
    }

    /// Adds an area where none is, joined with its neighbours if it continues them. Room was reserved.
    pub fn insert(&mut self, vma: Vma) {
        let position = self.position(vma.start);
        debug_assert!(self.vmas.get(position).is_none_or(|next| next.start >= vma.end), "overlap");
        let start = vma.start;
        self.vmas.insert(position, vma);
        self.merge_around(start);
    }

    /// Cuts the area that holds `addr` in two at `addr`, if that lies inside it. Room was reserved.
    pub fn split(&mut self, addr: u64) {
        let position = self.position(addr);
        let Some(vma) = self.vmas.get_mut(position) else { return };
        if vma.start >= addr {
            return;
        }
        let mut upper = vma.clone();
        upper.pgoff = vma.pgoff_of(addr);
        upper.start = addr;
        vma.end = addr;
        self.vmas.insert(position + 1, upper);
    }

    /// Takes out the areas of `start..end`, which have been cut at both.
    pub fn remove(&mut self, start: u64, end: u64) {
        let first = self.position(start);
        let count = self.vmas[first..].partition_point(|vma| vma.start < end);
        self.vmas.drain(first..first + count);
    }

    /// Changes the areas of `start..end`, which have been cut at both, and joins what then continues.
    pub fn modify(&mut self, start: u64, end: u64, mut change: impl FnMut(&mut Vma)) {
        let first = self.position(start);
        for vma in self.vmas[first..].iter_mut().take_while(|vma| vma.start < end) {
            change(vma);
        }
        // Joins move what lies behind, so from the top down.
        let mut position = self.position(end.saturating_sub(1)) + 1;
        while position > first {
            position -= 1;
            self.merge_at(position);
        }
        if first > 0 {
            self.merge_at(first - 1);
        }
    }

    fn merge_around(&mut self, addr: u64) {
        let position = self.position(addr);
        self.merge_at(position);
        if position > 0 {
            self.merge_at(position - 1);
        }
    }

    /// Joins the area at `position` with the next one if that is its continuation.
    fn merge_at(&mut self, position: usize) {
        let (Some(vma), Some(next)) = (self.vmas.get(position), self.vmas.get(position + 1)) else { return };
        if !vma.continues_in(next) {
            return;
        }
        let next = self.vmas.remove(position + 1);
        let vma = &mut self.vmas[position];
        vma.end = next.end;
        vma.flags |= next.flags & VmFlags::HAS_ANON;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::Prot;

    fn ranges(set: &VmaSet) -> Vec<(u64, u64)> {
        set.iter().map(|vma| (vma.start, vma.end)).collect()
    }

    #[test]
    fn neighbours_join_and_split() {
        let mut set = VmaSet::default();
        set.reserve(8).unwrap();
        set.insert(Vma::anonymous(0x1000, 0x2000, Prot::READ));
        set.insert(Vma::anonymous(0x3000, 0x4000, Prot::READ));
        set.insert(Vma::anonymous(0x2000, 0x3000, Prot::READ));
        assert_eq!(ranges(&set), [(0x1000, 0x4000)]);
        set.split(0x2000);
        set.split(0x3000);
        set.split(0x3000);
        assert_eq!(ranges(&set), [(0x1000, 0x2000), (0x2000, 0x3000), (0x3000, 0x4000)]);
        set.modify(0x2000, 0x3000, |vma| vma.prot = Prot::WRITE);
        assert_eq!(set.count(), 3);
        set.modify(0x2000, 0x3000, |vma| vma.prot = Prot::READ);
        assert_eq!(ranges(&set), [(0x1000, 0x4000)]);
        assert!(set.at(0x4000).is_none() && set.at(0x3fff).is_some() && set.find(0x500).is_some());
    }
}
