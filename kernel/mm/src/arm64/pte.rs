//! One descriptor of the Linux table: a valid 4K stage 1 page descriptor plus software bits.
//!
//! Bit positions from the Arm manual, D8.3 "Translation table descriptor formats"; the software scheme is that
//! of Linux's `pgtable-prot.h`: DBM says "writable", AP\[2\] says "write would fault", so writable and AP\[2\]
//! clear means dirty, and a CPU with hardware dirty state keeps the two without a fault.

use crate::types::{PAGE_SHIFT, Pfn};
use abi::Prot;
use core::fmt;

/// A descriptor of the Linux table. Zero is *none*.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Pte(pub u64);

const VALID: u64 = 1 << 0;
/// With VALID: a page at the last level, a table above it.
const TYPE_PAGE: u64 = 1 << 1;
const USER: u64 = 1 << 6;
const RDONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 3 << 8;
const AF: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
const DBM: u64 = 1 << 51;
const CONT: u64 = 1 << 52;
const PXN: u64 = 1 << 53;
const UXN: u64 = 1 << 54;
/// Software: dirty though AP\[2\] is set.
const SW_DIRTY: u64 = 1 << 55;
/// Software: no folio behind it, the zero page included (Linux's PTE_SPECIAL).
const SPECIAL: u64 = 1 << 56;
/// Output address of a page descriptor, 48 bits (TCR.DS = 0).
const ADDR: u64 = 0x0000_ffff_ffff_f000;

/// MAIR_EL1 index of normal write-back memory.
pub const ATTR_NORMAL: u64 = 0;
/// MAIR_EL1 index of Device-nGnRE memory.
pub const ATTR_DEVICE: u64 = 1;

/// What a table descriptor of any granule looks like: valid, table.
pub const DESC_TABLE: u64 = VALID | TYPE_PAGE;
/// Output address bits of a table descriptor, whatever the granule.
pub const DESC_ADDR: u64 = ADDR;

/// Bits that a native descriptor takes over as they are: permissions and attributes, but neither address, nor
/// accessed and dirty state, nor software bits.
const PERMISSIONS: u64 = USER | NOT_GLOBAL | DBM | PXN | UXN | INNER_SHAREABLE | (7 << 2);

impl Pte {
    /// An entry that maps `pfn` for a mapping with protection `prot`: accessed, clean, not yet writable.
    ///
    /// PROT_NONE gives an entry that is present to the kernel and invalid to hardware. PROT_EXEC implies reads, as
    /// Linux has it on a CPU without enhanced PAN. Kernel execution is never allowed.
    pub fn new(pfn: Pfn, prot: Prot) -> Pte {
        let mut bits = (pfn.0 << PAGE_SHIFT)
            | TYPE_PAGE
            | INNER_SHAREABLE
            | AF
            | NOT_GLOBAL
            | PXN
            | RDONLY
            | UXN
            | (ATTR_NORMAL << 2);
        if prot.intersects(Prot::READ | Prot::WRITE | Prot::EXEC) {
            bits |= VALID | USER;
        }
        if prot.contains(Prot::EXEC) {
            bits &= !UXN;
        }
        Pte(bits)
    }

    /// Nothing mapped here.
    pub const fn none() -> Pte {
        Pte(0)
    }

    /// Whether nothing is mapped here.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether something is mapped here, be it only to the kernel (PROT_NONE).
    pub const fn present(self) -> bool {
        self.0 & (VALID | NOT_GLOBAL) != 0
    }

    /// Whether hardware may use the entry.
    pub const fn valid(self) -> bool {
        self.0 & VALID != 0
    }

    /// The frame mapped.
    pub const fn pfn(self) -> Pfn {
        Pfn((self.0 & ADDR) >> PAGE_SHIFT)
    }

    /// Whether writes are allowed, if need be after a fault that notes the dirty state.
    pub const fn write(self) -> bool {
        self.0 & DBM != 0
    }

    /// Whether a write by hardware without dirty state management faults.
    pub const fn rdonly(self) -> bool {
        self.0 & RDONLY != 0
    }

    /// Whether the frame was written through this entry.
    pub const fn dirty(self) -> bool {
        self.0 & SW_DIRTY != 0 || (self.write() && !self.rdonly())
    }

    /// Whether the frame was accessed through this entry.
    pub const fn young(self) -> bool {
        self.0 & AF != 0
    }

    /// Whether user code may run from it.
    pub const fn user_exec(self) -> bool {
        self.0 & UXN == 0
    }

    /// Whether it has no folio that counts its mappers (the zero page).
    pub const fn special(self) -> bool {
        self.0 & SPECIAL != 0
    }

    /// Writable (Linux's `pte_mkwrite`): a dirty entry also loses AP\[2\].
    pub const fn mkwrite(self) -> Pte {
        let bits = self.0 | DBM;
        Pte(if self.0 & SW_DIRTY != 0 { bits & !RDONLY } else { bits })
    }

    /// Dirty (Linux's `pte_mkdirty`).
    pub const fn mkdirty(self) -> Pte {
        let bits = self.0 | SW_DIRTY;
        Pte(if self.write() { bits & !RDONLY } else { bits })
    }

    /// Accessed.
    pub const fn mkyoung(self) -> Pte {
        Pte(self.0 | AF)
    }

    /// Not accessed since.
    pub const fn mkold(self) -> Pte {
        Pte(self.0 & !AF)
    }

    /// Whether the Contiguous bit is set: hardware may join the entry with its neighbours in the block.
    pub const fn cont(self) -> bool {
        self.0 & CONT != 0
    }

    /// With the Contiguous bit.
    pub const fn mkcont(self) -> Pte {
        Pte(self.0 | CONT)
    }

    /// Without the Contiguous bit. What leaves the tables never has it: it belongs to the place, not to the page.
    pub const fn mknoncont(self) -> Pte {
        Pte(self.0 & !CONT)
    }

    /// With another entry's accessed and dirty state added.
    pub const fn merge_access(self, other: Pte) -> Pte {
        let pte = if other.young() { self.mkyoung() } else { self };
        if other.dirty() { pte.mkdirty() } else { pte }
    }

    /// Without a folio behind it.
    pub const fn mkspecial(self) -> Pte {
        Pte(self.0 | SPECIAL)
    }

    /// Write-protected (Linux's `pte_wrprotect`): a dirty state that hardware kept moves to the software bit.
    pub const fn wrprotect(self) -> Pte {
        let dirty = if self.dirty() { SW_DIRTY } else { 0 };
        Pte((self.0 & !DBM) | RDONLY | dirty)
    }

    /// The same frame, accessed and dirty state under another protection (Linux's `pte_modify`). Write permission
    /// is not given: whether the frame may be written is for the caller to decide.
    pub fn modify(self, prot: Prot) -> Pte {
        let mut new = Pte::new(self.pfn(), prot);
        new.0 |= self.0 & SPECIAL;
        if self.dirty() {
            new = new.mkdirty();
        }
        if !self.young() {
            new = new.mkold();
        }
        new
    }

    /// The entry `nr` kernel pages further on in the same folio.
    pub const fn advance(self, nr_kernel_pages: u64) -> Pte {
        Pte(self.0 + (nr_kernel_pages << PAGE_SHIFT))
    }

    /// The permission and attribute bits that hardware of any granule reads alike.
    pub const fn permissions(self) -> u64 {
        self.0 & PERMISSIONS
    }

    /// This entry as the leaf of a larger granule: hardware bits only. `pfn` must be aligned to the granule.
    pub const fn to_native(self) -> u64 {
        self.without_software().mknoncont().0
    }

    /// Without the bits that hardware does not know.
    pub const fn without_software(self) -> Pte {
        Pte(self.0 & !(SW_DIRTY | SPECIAL))
    }
}

impl fmt::Debug for Pte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("none");
        }
        write!(
            f,
            "{:#x}:{}{}{}{}{}{}",
            self.pfn().0,
            if self.valid() { "v" } else { "n" },
            if self.write() { "w" } else { "-" },
            if self.user_exec() { "x" } else { "-" },
            if self.dirty() { "D" } else { "-" },
            if self.young() { "A" } else { "-" },
            if self.special() { "s" } else { "-" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dirty_state_survives_protection_changes() {
        let rw = Prot::READ | Prot::WRITE;
        let written = Pte::new(Pfn(5), rw).mkwrite().mkdirty();
        assert!(written.dirty() && !written.rdonly());
        let protected = written.wrprotect();
        assert!(protected.dirty() && protected.rdonly() && !protected.write());
        let again = protected.modify(rw).mkwrite();
        assert!(again.dirty() && !again.rdonly(), "a dirty entry that gets writable needs no dirty fault");
        let clean = Pte::new(Pfn(5), rw).mkwrite();
        assert!(!clean.dirty() && clean.rdonly() && clean.write());
    }

    #[test]
    fn prot_none_is_present_and_invalid() {
        let none = Pte::new(Pfn(9), Prot::empty());
        assert!(none.present() && !none.valid() && !none.is_none());
        assert_eq!(none.pfn(), Pfn(9));
        let back = none.mkdirty().modify(Prot::READ);
        assert!(back.valid() && back.dirty());
    }
}
