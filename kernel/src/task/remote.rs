//! Looking into the memory of a process from outside: what its program is, and its bytes. Mirrors Linux's
//! `access_remote_vm` and what `mm_struct` keeps for `/proc`.

use super::current;
use super::user_mm::UserMm;
use crate::arch::machine::Machine;
use crate::memory;
use ::mm::Mm;
use ::mm::hw::Hw;
use ::mm::types::{Access, PAGE_SIZE, PageSize};
use abi::Errno;
use arrayvec::ArrayVec;
use binfmt::ExecPlan;
use core::ops::Range;
use fs::vfs::Path;

/// Longest auxiliary vector in bytes.
const AUXV_MAX: usize = 512;

/// What `execve` knew of a program. Shared by all processes that were forked from it.
pub struct Program {
    /// The program file.
    pub exe: Path,
    /// The auxiliary vector as the program got it.
    pub auxv: ArrayVec<u8, AUXV_MAX>,
    /// Bytes of code.
    pub code: Range<u64>,
    /// Bytes of data.
    pub data: Range<u64>,
}

impl Program {
    /// The program in file `exe`, which is loaded as `plan` says. E2BIG for a vector that is too long, which none is.
    pub fn new(exe: &Path, auxv: &[u8], plan: &ExecPlan) -> Result<Program, Errno> {
        let auxv = auxv.try_into().map_err(|_| Errno::E2BIG)?;
        Ok(Program { exe: exe.clone(), auxv, code: plan.code.clone(), data: plan.data.clone() })
    }
}

/// How much an address space has, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryUsage {
    /// Mapped.
    pub total_vm: u64,
    /// In memory: anonymous.
    pub anon: u64,
    /// Of files.
    pub file: u64,
    /// Of files in memory.
    pub shmem: u64,
    /// Page tables.
    pub tables: u64,
    /// Most that was mapped at a time.
    pub peak_vm: u64,
    /// Most that was in memory at a time.
    pub peak_rss: u64,
}

impl MemoryUsage {
    /// That of `mm`, which the caller has locked.
    pub fn of(mm: &Mm<Machine>) -> MemoryUsage {
        let counters = mm.counters();
        let (linux, native) = mm.tables().table_bytes();
        MemoryUsage {
            total_vm: counters.total_vm,
            anon: counters.anon_pages * PAGE_SIZE,
            file: counters.file_pages * PAGE_SIZE,
            shmem: counters.shmem_pages * PAGE_SIZE,
            peak_vm: counters.hiwater_vm.max(counters.total_vm),
            peak_rss: counters.hiwater_rss.max(counters.rss()) * PAGE_SIZE,
            tables: linux + native,
        }
    }

    /// In memory.
    pub fn resident(&self) -> u64 {
        self.anon + self.file + self.shmem
    }
}

/// The page in which the caller counts when it reads numbers of pages: its own.
pub fn page_size_of_reader() -> PageSize {
    current().memory().map_or(PageSize::Size4K, |mm| mm.page_size())
}

impl UserMm {
    /// How much it has now. May sleep.
    pub fn usage(&self) -> MemoryUsage {
        MemoryUsage::of(&self.lock())
    }

    /// Reads the bytes at `addr` as far as they can be read; how many that were. Pages that are not in memory are brought
    /// in, which may sleep. The lock is not held while `buf` is in the hands of others, so `buf` is the kernel's.
    pub fn read_remote(&self, addr: u64, buf: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buf.len() {
            let Some(at) = addr.checked_add(done as u64) else { break };
            let in_page = at % PAGE_SIZE;
            let len = ((PAGE_SIZE - in_page) as usize).min(buf.len() - done);
            match self.read_present(at, &mut buf[done..done + len]) {
                Some(()) => done += len,
                // Several may be at it, so that what one brought in may be gone again when the other looks.
                None if self.handle_fault(at, Access::Read).is_ok() => {}
                None => break,
            }
        }
        done
    }

    /// Writes `bytes` at `addr` as the process itself could; how many that were. Sleeps as [`UserMm::read_remote`].
    pub fn write_remote(&self, addr: u64, bytes: &[u8]) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            let Some(at) = addr.checked_add(done as u64) else { break };
            let len = ((PAGE_SIZE - at % PAGE_SIZE) as usize).min(bytes.len() - done);
            match self.write_present(at, &bytes[done..done + len]) {
                Some(()) => done += len,
                None if self.handle_fault(at, Access::Write).is_ok() => {}
                None => break,
            }
        }
        done
    }

    /// Writes within one kernel page, if the process may write it without a fault.
    fn write_present(&self, addr: u64, bytes: &[u8]) -> Option<()> {
        let mm = self.lock();
        let tables = mm.tables();
        let pte = tables.ptep_get(mm.mem(), addr);
        if !pte.valid() || !pte.write() || !pte.dirty() {
            return None;
        }
        memory::get().hw.write_bytes(pte.pfn().addr().offset(addr % PAGE_SIZE), bytes);
        Some(())
    }

    /// The bytes at `addr`, which are in one kernel page, if that is in memory.
    fn read_present(&self, addr: u64, buf: &mut [u8]) -> Option<()> {
        let mm = self.lock();
        mm.vmas().at(addr)?;
        let pte = mm.tables().ptep_get(mm.mem(), addr);
        if !pte.present() {
            return None;
        }
        memory::get().hw.read_bytes(pte.pfn().addr().offset(addr % PAGE_SIZE), buf);
        Some(())
    }
}
