//! mincore: which pages are in memory (Linux's `mm/mincore.c`).

use crate::arm64::pgtable::PageTables;
use crate::filemap::AddressSpace;
use crate::folio::Flags;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::mm::Mm;
use crate::types::PAGE_SIZE;
use crate::vma::Vma;
use abi::Errno;

impl<H: Hw> Mm<H> {
    /// Says of the process pages from `start` on, as far as one area and `out` go, whether each is in memory: 1 or 0. Returns
    /// how many were said. ENOMEM where nothing is mapped.
    pub fn mincore(&self, start: u64, out: &mut [u8]) -> Result<usize, Errno> {
        let vma = self.vmas.at(start).ok_or(Errno::ENOMEM)?;
        let tables = self.tables.lock();
        let page = self.page.bytes();
        let nr = out.len().min(((vma.end - start) / page) as usize);
        for (i, slot) in out[..nr].iter_mut().enumerate() {
            let at = start + i as u64 * page;
            let resident = |va| is_resident(&self.mem, &tables, vma, va);
            *slot = u8::from((at..at + page).step_by(PAGE_SIZE as usize).all(resident));
        }
        Ok(nr)
    }
}

/// Whether the kernel page at `va` is mapped, or at least cached.
fn is_resident<H: Hw>(mem: &Memory<H>, tables: &PageTables, vma: &Vma, va: u64) -> bool {
    let cached = |mapping: &AddressSpace| {
        let entry = mapping.get_folio(mem, vma.pgoff_of(va));
        entry.is_some_and(|entry| {
            let uptodate = mem.folio_test(entry.folio, Flags::UPTODATE);
            mem.folio_put(entry.folio);
            uptodate
        })
    };
    tables.ptep_get(mem, va).present() || vma.file.as_ref().is_some_and(|file| cached(file.mapping()))
}
