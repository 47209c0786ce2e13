//! A page fault, from the address to the table entry, in one direction: find the area, check the access, dispatch by
//! what is there. Mirrors Linux's `handle_mm_fault`.

mod anon;
mod cow;
mod file;

use crate::arm64::fallback::Fallback;
use crate::arm64::pgtable::Lookup;
use crate::arm64::pte::Pte;
use crate::arm64::tlb::MmuGather;
use crate::filemap::{AddressSpace, NotConverted};
use crate::folio::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::mm::Mm;
use crate::stats::Stats;
use crate::types::Access;
use crate::vma::{STACK_GUARD_PAGES, VmFlags, Vma};
use abi::{Errno, Prot};
use alloc::sync::Arc;
use arrayvec::ArrayVec;

/// Why a fault could not be handled at once.
#[derive(Clone)]
pub enum VmFault {
    /// SIGSEGV, SEGV_MAPERR: nothing is mapped there.
    MapErr,
    /// SIGSEGV, SEGV_ACCERR: what is mapped there does not allow it.
    AccErr,
    /// SIGBUS, BUS_ADRERR: beyond the end of the file, or it could not be read.
    Bus,
    /// No memory, even after reclaim.
    Oom,
    /// Something of a file must come first: drop the mmap lock, call [`Io::wait`], and fault again.
    Io(Io),
}

/// What a fault waits for: one process page of a file.
#[derive(Clone)]
pub struct Io {
    mapping: Arc<AddressSpace>,
    /// First kernel page of the file.
    index: u64,
    nr_kernel_pages: u64,
    need: Need,
}

/// What a fault lacks.
#[derive(Clone, Copy)]
enum Need {
    /// The data.
    Data,
    /// One folio for the process page instead of several.
    OneFolio,
}

/// How a wait ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The data is there: a major fault.
    Read,
    /// There is one folio now.
    Converted,
    /// There cannot be one now: the address space has to leave its native table ([`Mm::note_wait`]) before the fault is
    /// tried again.
    Refused(Fallback),
}

impl Io {
    /// Gets it, blocking, with no lock held. EIO (a SIGBUS for the faulting program) or ENOMEM.
    pub fn wait<H: Hw>(&self, mem: &Arc<Memory<H>>) -> Result<Waited, Errno> {
        match self.need {
            Need::Data => self.read(mem).map(|()| Waited::Read),
            Need::OneFolio => {
                let order = self.nr_kernel_pages.ilog2() as u8;
                Ok(match mem.convert_folios(&self.mapping, self.index, order) {
                    Ok(()) => Waited::Converted,
                    Err(NotConverted::NoMemory) => Waited::Refused(Fallback::NoContigMemory),
                    Err(NotConverted::Busy) => Waited::Refused(Fallback::MappingBusy),
                })
            }
        }
    }

    /// All of it is held until all of it is there: otherwise reading one page could make reclaim drop the one before,
    /// and the fault would ask for that again, for ever.
    fn read<H: Hw>(&self, mem: &Arc<Memory<H>>) -> Result<(), Errno> {
        let mut held = ArrayVec::<Folio, 16>::new();
        let mut next = self.index;
        let mut result = Ok(());
        while next < self.index + self.nr_kernel_pages && result.is_ok() {
            result = mem.read_folio(&self.mapping, next).map(|entry| {
                held.push(entry.folio);
                next = entry.end();
            });
        }
        held.into_iter().for_each(|folio| mem.folio_put(folio));
        Stats::add(&mem.stats.pgmajfault, 1);
        result
    }
}

impl VmFault {
    /// What an error of [`Io::wait`] means for the program.
    pub fn of_io(error: Errno) -> VmFault {
        if error == Errno::ENOMEM { VmFault::Oom } else { VmFault::Bus }
    }
}

/// What a fault works on: the process page around the address, and the area that it lies in.
struct Fault {
    /// The faulting address rounded down to the process page.
    page_start: u64,
    /// The address after that process page.
    page_end: u64,
    addr: u64,
    access: Access,
    vma: Vma,
    /// Whether the process page has its tables in place.
    has_tables: bool,
    /// Whether hardware's table has no entry for it, whatever the Linux table says.
    needs_fill: bool,
}

/// Whether an area allows an access. On arm64 writable implies readable, and so does executable on a CPU without
/// enhanced PAN (Linux's `vm_get_page_prot`).
fn access_allowed(prot: Prot, access: Access) -> bool {
    match access {
        Access::Read => prot.intersects(Prot::READ | Prot::WRITE | Prot::EXEC),
        Access::Write => prot.contains(Prot::WRITE),
        Access::Exec => prot.contains(Prot::EXEC),
    }
}

impl<H: Hw> Mm<H> {
    /// Makes `addr` accessible if the process may access it so. Ok means: try the access again.
    pub fn handle_fault(&mut self, addr: u64, access: Access) -> Result<(), VmFault> {
        if addr >= self.task_size() {
            return Err(VmFault::MapErr);
        }
        let vma = self.find_or_expand(addr)?;
        if !access_allowed(vma.prot, access) {
            return Err(VmFault::AccErr);
        }
        Stats::add(&self.mem.stats.pgfault, 1);
        let page_start = self.page.align_down(addr);
        let page_end = page_start + self.page.bytes();
        let Lookup { pte, has_tables, needs_fill } = self.tables.get_mut().lookup(&self.mem, addr);
        let fault = Fault { page_start, page_end, addr, access, vma, has_tables, needs_fill };
        self.handle_pte_fault(&fault, pte)?;
        if needs_fill && (pte.valid() || self.tables.get_mut().is_lazy()) {
            let mut gather = MmuGather::new(&self.mem, &self.context);
            self.tables.get_mut().fill_native(&mut gather, addr);
        }
        self.counters.min_flt += 1;
        self.return_if_due();
        Ok(())
    }

    fn handle_pte_fault(&mut self, fault: &Fault, pte: Pte) -> Result<(), VmFault> {
        if pte.is_none() {
            return match &fault.vma.file {
                None => self.do_anonymous_page(fault),
                Some(file) => self.do_file_fault(fault, file.mapping()),
            };
        }
        if fault.access == Access::Write && !pte.write() {
            return self.do_wp_page(fault, pte);
        }
        self.set_accessed(fault);
        Ok(())
    }

    /// The entry allows the access: it only lacks an accessed or dirty bit that this CPU wants set by software, or some
    /// TLB still holds what was there before. Either way that address is invalidated. Or the native table does not have it.
    fn set_accessed(&mut self, fault: &Fault) {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        let write = fault.access == Access::Write;
        tables.ptep_set_access_flags(&mut gather, fault.page_start, fault.page_end, write);
        if fault.needs_fill {
            Stats::add(&self.mem.stats.native_refill, 1);
            return;
        }
        gather.add_range(fault.page_start, fault.page_end);
        Stats::add(&self.mem.stats.pgfault_spurious, 1);
    }

    /// The area of `addr`; a stack area above grows down to it if its limit and its guard gap allow (Linux's
    /// `expand_stack`).
    fn find_or_expand(&mut self, addr: u64) -> Result<Vma, VmFault> {
        let vma = self.vmas.find(addr).ok_or(VmFault::MapErr)?;
        if vma.start <= addr {
            return Ok(vma.clone());
        }
        if !vma.flags.contains(VmFlags::GROWSDOWN) {
            return Err(VmFault::MapErr);
        }
        let (old_start, end) = (vma.start, vma.end);
        let start = self.page.align_down(addr);
        let gap = STACK_GUARD_PAGES * self.page.bytes();
        let too_close = self.vmas.before(old_start).is_some_and(|below| {
            below.prot.intersects(Prot::READ | Prot::WRITE | Prot::EXEC)
                && !below.flags.contains(VmFlags::GROWSDOWN)
                && below.end.saturating_add(gap) > start
        });
        let grown = self.counters.total_vm.saturating_add(old_start - start);
        if too_close || end - start > self.limits.stack || grown > self.limits.address_space {
            return Err(VmFault::MapErr);
        }
        let vma = self.vmas.at_mut(old_start).ok_or(VmFault::MapErr)?;
        vma.pgoff = vma.pgoff.wrapping_sub((old_start - start) >> crate::types::PAGE_SHIFT);
        vma.start = start;
        let vma = vma.clone();
        self.counters.total_vm = grown;
        Ok(vma)
    }

    /// Faults with the mmap lock held throughout, for an address space that nobody else has yet (exec) and for tests.
    pub fn handle_fault_blocking(&mut self, addr: u64, access: Access) -> Result<(), VmFault> {
        loop {
            match self.handle_fault(addr, access) {
                Err(VmFault::Io(io)) => {
                    let waited = io.wait(&self.mem).map_err(VmFault::of_io)?;
                    self.note_wait(waited);
                }
                other => return other,
            }
        }
    }

    /// Maps `nr_kernel_pages` of `folio` from its page at `pte` on. The caller's references cover the entries.
    pub(crate) fn map_folio(&mut self, folio: Folio, addr: u64, pte: Pte, nr_kernel_pages: u64) {
        if pte.user_exec() {
            self.mem.sync_icache_folio(folio);
        }
        self.mem.folio_add_mapcount(folio, nr_kernel_pages as u32);
        Self::count_pages(&mut self.counters, &self.mem, folio, nr_kernel_pages as i64);
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.set_ptes(&mut gather, addr, pte, nr_kernel_pages);
    }

    /// Accounts for what a fault has waited for, before it is tried again.
    pub fn note_wait(&mut self, waited: Waited) {
        match waited {
            Waited::Read => self.counters.maj_flt += 1,
            Waited::Converted => {}
            Waited::Refused(reason) => self.fall_back(reason),
        }
    }

    /// The process page cannot be had in one piece: this address space goes on with its Linux table.
    fn fall_back(&mut self, reason: Fallback) {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.fall_back(&mut gather, reason);
    }

    /// Makes sure that the process page can be mapped.
    fn prepare_page(&mut self, fault: &Fault) -> Result<(), VmFault> {
        if fault.has_tables { Ok(()) } else { self.pte_alloc(fault.page_start, fault.page_end) }
    }

    fn pte_alloc(&mut self, start: u64, end: u64) -> Result<(), VmFault> {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.pte_alloc(&mut gather, start, end).map_err(|_| VmFault::Oom)
    }
}

impl<H: Hw> Memory<H> {
    /// Before a folio's first executable mapping its bytes are made visible to instruction fetches, once (Linux's
    /// `__sync_icache_dcache`).
    pub(crate) fn sync_icache_folio(&self, folio: Folio) {
        if self.folio_test(folio, Flags::DCACHE_CLEAN) {
            return;
        }
        let len = self.folio_nr_pages(folio) << crate::types::PAGE_SHIFT;
        self.hw.sync_icache(folio.0.addr(), len);
        self.folio_set(folio, Flags::DCACHE_CLEAN);
    }
}
