//! What an address space does with its native table beyond following the Linux table: giving it up as the cache that it is,
//! and coming back to it after a fallback.

use crate::arm64::fallback::Fallback;
use crate::arm64::tlb::MmuGather;
use crate::hw::Hw;
use crate::mm::Mm;

impl<H: Hw> Mm<H> {
    /// Frees the native tables; faults fill them again. Returns the bytes freed.
    pub fn drop_native_tables(&mut self) -> u64 {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.drop_native_tables(&mut gather)
    }

    /// Why the address space has no native table though its page size would have one.
    pub fn fallback(&self) -> Option<Fallback> {
        self.tables.lock().fallback()
    }
}
