//! Data accesses through the MMU: what LDR and STR of a program do, or LDTR and STTR of the kernel.

use crate::machine::Machine;
use crate::phys::FRAME_SIZE;
use crate::walk::{Access, El, Fault};

impl Machine {
    /// Read bytes at a virtual address, of any length: one translation per frame. On a fault, what lies
    /// before the faulting address was read.
    pub fn load(&mut self, cpu: usize, va: u64, out: &mut [u8], el: El) -> Result<(), Fault> {
        let mut done = 0;
        while done < out.len() {
            let at = va.wrapping_add(done as u64);
            let n = piece(at, out.len() - done);
            let pa = self.access(cpu, at, Access::Read, el)?;
            self.read_bytes(pa, &mut out[done..done + n]);
            done += n;
        }
        Ok(())
    }

    /// Write bytes at a virtual address, as [`Machine::load`] reads them.
    pub fn store(&mut self, cpu: usize, va: u64, data: &[u8], el: El) -> Result<(), Fault> {
        let mut done = 0;
        while done < data.len() {
            let at = va.wrapping_add(done as u64);
            let n = piece(at, data.len() - done);
            let pa = self.access(cpu, at, Access::Write, el)?;
            self.write_bytes(pa, &data[done..done + n]);
            done += n;
        }
        Ok(())
    }
}

/// How many of `left` bytes lie in the frame of `va`: no granule is smaller.
fn piece(va: u64, left: usize) -> usize {
    left.min((FRAME_SIZE - va % FRAME_SIZE) as usize)
}
