//! Populating: which pages a call that wants them present must fault in (Linux's `populate_vma_page_range` and
//! `faultin_page_range`). The faults are the caller's, since they may wait for a device.

use crate::fault::VmFault;
use crate::hw::Hw;
use crate::mm::Mm;
use crate::types::Access;
use crate::vma::{VmFlags, Vma};
use abi::Prot;

/// What a page shall be ready for, and what happens where that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Populate {
    /// As its area is used: writes to private memory that allows them, else reads. Holes and areas that are locked as they
    /// are touched are left out (mlock, MAP_POPULATE).
    AsMapped,
    /// Reads (MADV_POPULATE_READ).
    Read,
    /// Writes (MADV_POPULATE_WRITE).
    Write,
}

/// The access that populates `vma`; `None` where it is left out.
fn access_for(vma: &Vma, how: Populate) -> Result<Option<Access>, VmFault> {
    let allows = |prot| if vma.prot.contains(prot) { Ok(()) } else { Err(VmFault::AccErr) };
    match how {
        Populate::Read => allows(Prot::READ).map(|()| Some(Access::Read)),
        Populate::Write => allows(Prot::WRITE).map(|()| Some(Access::Write)),
        Populate::AsMapped if vma.flags.contains(VmFlags::LOCKONFAULT) => Ok(None),
        Populate::AsMapped if vma.prot.is_empty() => Err(VmFault::AccErr),
        Populate::AsMapped if vma.prot.contains(Prot::WRITE) && !vma.is_shared() => Ok(Some(Access::Write)),
        Populate::AsMapped if !vma.prot.intersects(Prot::READ | Prot::WRITE) => Ok(Some(Access::Exec)),
        Populate::AsMapped => Ok(Some(Access::Read)),
    }
}

impl<H: Hw> Mm<H> {
    /// Moves `next` to the first process page up to `end` that a fault must bring, and gives the access for it. `MapErr` at
    /// a hole, `AccErr` in an area that does not allow the access; `next` is there, then.
    pub fn next_to_populate(
        &self,
        next: &mut u64,
        end: u64,
        how: Populate,
    ) -> Result<Option<Access>, VmFault> {
        let tables = self.tables.lock();
        while *next < end {
            let vma = match self.vmas.find(*next).filter(|vma| vma.start < end) {
                Some(vma) if vma.start <= *next || how == Populate::AsMapped => vma,
                None if how == Populate::AsMapped => return Ok(None),
                _ => return Err(VmFault::MapErr),
            };
            *next = vma.start.max(*next);
            let until = vma.end.min(end);
            let Some(access) = access_for(vma, how)? else {
                *next = until;
                continue;
            };
            while *next < until {
                let pte = tables.ptep_get(&self.mem, *next);
                if !pte.present() || access == Access::Write && !pte.write() {
                    return Ok(Some(access));
                }
                *next += self.page.bytes();
            }
        }
        Ok(None)
    }
}
