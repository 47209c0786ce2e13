//! The kernel's own access to an address space that isn't the current one: exec fills a new stack and clears the end of
//! a data segment (Linux's `access_remote_vm`).

use crate::fault::VmFault;
use crate::hw::Hw;
use crate::mm::Mm;
use crate::types::{Access, PAGE_SIZE, PhysAddr};
use abi::Errno;

impl<H: Hw> Mm<H> {
    /// Writes `bytes` at `addr` as the process would. Blocks on file data, so nobody else may have this address space
    /// yet. EFAULT where the process could not write, ENOMEM when memory is out, EIO when the file cannot be read.
    pub fn write_user(&mut self, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        let len = bytes.len() as u64;
        self.for_each_piece(addr, len, |mem, at, offset, len| {
            mem.write_bytes(at, &bytes[offset as usize..(offset + len) as usize]);
        })
    }

    /// Writes `len` zero bytes at `addr` (Linux's `clear_user`). Blocks and fails as [`Mm::write_user`].
    pub fn clear_user(&mut self, addr: u64, len: u64) -> Result<(), Errno> {
        self.for_each_piece(addr, len, |mem, at, _, len| mem.zero_bytes(at, len))
    }

    fn for_each_piece(
        &mut self,
        addr: u64,
        len: u64,
        mut f: impl FnMut(&H, PhysAddr, u64, u64),
    ) -> Result<(), Errno> {
        let mut offset = 0;
        while offset < len {
            let va = addr.checked_add(offset).ok_or(Errno::EFAULT)?;
            self.handle_fault_blocking(va, Access::Write).map_err(|fault| match fault {
                VmFault::Oom => Errno::ENOMEM,
                VmFault::Bus => Errno::EIO,
                _ => Errno::EFAULT,
            })?;
            let pte = self.tables.get_mut().ptep_get(&self.mem, va);
            let piece = (PAGE_SIZE - va % PAGE_SIZE).min(len - offset);
            f(&self.mem.hw, pte.pfn().addr().offset(va % PAGE_SIZE), offset, piece);
            offset += piece;
        }
        Ok(())
    }
}
