//! mprotect (Linux's `mm/mprotect.c`).

use crate::arm64::pte::Pte;
use crate::arm64::tlb::MmuGather;
use crate::folio::Folio;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::mm::Mm;
use crate::vma::{VmFlags, Vma};
use abi::{Errno, Prot};

impl<H: Hw> Mm<H> {
    /// Gives `start..end` the protection `prot`, area by area from the bottom, as Linux does: an error leaves what came
    /// before it changed. ENOMEM for a hole or when an area cannot be split, EACCES for what the mapping may not become, EPERM
    /// for a sealed one.
    /// `prot` may carry GROWSDOWN: then the change begins at the start of the growing area that holds `start`.
    pub fn mprotect(&mut self, start: u64, end: u64, prot: Prot) -> Result<(), Errno> {
        let grows = prot.contains(Prot::GROWSDOWN);
        let prot = prot & (Prot::READ | Prot::WRITE | Prot::EXEC);
        let mut next = match self.vmas.find(start) {
            Some(vma) if grows && vma.start < end => {
                if !vma.flags.contains(VmFlags::GROWSDOWN) {
                    return Err(Errno::EINVAL);
                }
                vma.start
            }
            Some(vma) if !grows && vma.start <= start => start,
            _ => return Err(Errno::ENOMEM),
        };
        while next < end {
            let vma = self.vmas.at(next).ok_or(Errno::ENOMEM)?.clone();
            if !vma.may.contains(prot) {
                return Err(Errno::EACCES);
            }
            if vma.flags.contains(VmFlags::SEALED) {
                return Err(Errno::EPERM);
            }
            let until = end.min(vma.end);
            self.protect_area(&vma, next, until, prot)?;
            next = until;
        }
        Ok(())
    }

    fn protect_area(&mut self, vma: &Vma, start: u64, end: u64, prot: Prot) -> Result<(), Errno> {
        if vma.prot == prot {
            return Ok(());
        }
        self.vmas.reserve(2)?;
        self.vmas.split(start);
        self.vmas.split(end);
        self.vmas.modify(start, end, |vma| vma.prot = prot);
        let mem = &*self.mem;
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.update_ptes(&mut gather, start, end, |_, pte| change_pte(mem, vma, pte, prot), |_, _, _| {});
        Ok(())
    }
}

/// The entry under another protection. Write permission comes back only where no fault is needed for it (Linux's
/// `can_change_pte_writable`): an anonymous page that is ours alone; a page of a shared mapping that is dirty anyway.
/// Each entry is judged by itself.
fn change_pte<H: Hw>(mem: &Memory<H>, vma: &Vma, pte: Pte, prot: Prot) -> Pte {
    let new = pte.modify(prot);
    if pte.special() {
        return new;
    }
    if prot.contains(Prot::EXEC) && !pte.user_exec() {
        let folio: Folio = mem.folio_of(pte.pfn());
        mem.sync_icache_folio(folio);
    }
    let writable = prot.contains(Prot::WRITE)
        && if vma.is_shared() { pte.dirty() } else { mem.page_anon_exclusive(pte.pfn()) };
    if writable { new.mkwrite() } else { new }
}
