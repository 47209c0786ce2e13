//! madvise: what may be forgotten, and hints (Linux's `mm/madvise.c`).

use super::populate::Populate;
use super::seal::can_discard;
use crate::filemap::{AddressSpace, Backing};
use crate::hw::Hw;
use crate::mm::Mm;
use crate::types::PAGE_SHIFT;
use crate::vma::{VmFlags, Vma};
use abi::{Errno, Prot};
use alloc::sync::Arc;
use core::ops::Range;

/// An advice that this kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Hints without an effect here: MADV_NORMAL, RANDOM, SEQUENTIAL, WILLNEED.
    Hint,
    /// Hints to reclaim, which takes nothing from a process: MADV_COLD, PAGEOUT.
    Reclaim,
    /// What a call populates: MADV_POPULATE_READ and MADV_POPULATE_WRITE, the caller's business.
    Populate(Populate),
    /// As `DontNeed`, for locked memory too.
    DontNeedLocked,
    /// The file loses the bytes.
    Remove,
    /// A child of fork finds it empty.
    WipeOnFork,
    /// A child of fork gets it again.
    KeepOnFork,
    /// Not part of a core dump.
    DontDump,
    /// Part of it again.
    DoDump,
    /// The content may go: private memory reads as zero, file memory as the file. MADV_FREE may do so later; here it
    /// does at once, for anonymous memory only.
    DontNeed,
    /// As `DontNeed`, refused for files.
    Free,
    /// Not inherited by fork.
    DontFork,
    /// Inherited again.
    DoFork,
    /// Large folios wanted.
    HugePage,
    /// Large folios refused.
    NoHugePage,
}

impl Advice {
    /// The advice of a MADV_ number; `None` means EINVAL.
    pub fn from_raw(advice: u32) -> Option<Advice> {
        Some(match advice {
            0..=3 => Advice::Hint,
            4 => Advice::DontNeed,
            8 => Advice::Free,
            9 => Advice::Remove,
            10 => Advice::DontFork,
            11 => Advice::DoFork,
            14 => Advice::HugePage,
            15 => Advice::NoHugePage,
            16 => Advice::DontDump,
            17 => Advice::DoDump,
            18 => Advice::WipeOnFork,
            19 => Advice::KeepOnFork,
            20 | 21 => Advice::Reclaim,
            22 => Advice::Populate(Populate::Read),
            23 => Advice::Populate(Populate::Write),
            24 => Advice::DontNeedLocked,
            _ => return None,
        })
    }
}

impl<H: Hw> Mm<H> {
    /// Applies `advice` to what is mapped in `start..end`, which is aligned. ENOMEM when there are holes, after the rest
    /// was done, as in Linux; EINVAL for an advice that an area cannot take.
    pub fn madvise(&mut self, start: u64, end: u64, advice: Advice) -> Result<(), Errno> {
        let mut next = start;
        let mut holes = false;
        while next < end {
            let Some(vma) = self.vmas.find(next).filter(|vma| vma.start < end) else {
                return Err(Errno::ENOMEM);
            };
            holes |= vma.start > next;
            let (from, to) = (vma.start.max(next), vma.end.min(end));
            check_area(vma, advice)?;
            self.advise_area(from, to, advice)?;
            next = to;
        }
        if holes { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    fn advise_area(&mut self, start: u64, end: u64, advice: Advice) -> Result<(), Errno> {
        let (set, clear) = match advice {
            // The caller does these itself, without the mmap lock.
            Advice::Remove | Advice::Populate(_) => return Ok(()),
            Advice::Hint | Advice::Reclaim => return Ok(()),
            Advice::DontNeed | Advice::DontNeedLocked | Advice::Free => {
                self.zap_range(start, end);
                return Ok(());
            }
            Advice::WipeOnFork => (VmFlags::WIPEONFORK, VmFlags::empty()),
            Advice::KeepOnFork => (VmFlags::empty(), VmFlags::WIPEONFORK),
            Advice::DontDump => (VmFlags::DONTDUMP, VmFlags::empty()),
            Advice::DoDump => (VmFlags::empty(), VmFlags::DONTDUMP),
            Advice::DontFork => (VmFlags::DONTCOPY, VmFlags::empty()),
            Advice::DoFork => (VmFlags::empty(), VmFlags::DONTCOPY),
            Advice::HugePage => (VmFlags::HUGEPAGE, VmFlags::NOHUGEPAGE),
            Advice::NoHugePage => (VmFlags::NOHUGEPAGE, VmFlags::HUGEPAGE),
        };
        self.vmas.reserve(2)?;
        self.vmas.split(start);
        self.vmas.split(end);
        self.vmas.modify(start, end, |vma| vma.flags = (vma.flags - clear) | set);
        Ok(())
    }

    /// What MADV_REMOVE takes out first of `start..end`: the caller punches that hole with the mmap lock released, since the file
    /// asks everybody who maps it, this address space too, and goes on behind it. Errors as [`Mm::madvise`].
    pub fn next_removal(&self, start: u64, end: u64) -> Result<Removal, Errno> {
        let vma = self.vmas.find(start).filter(|vma| vma.start < end).ok_or(Errno::ENOMEM)?;
        check_area(vma, Advice::Remove)?;
        let file = vma.file.as_ref().ok_or(Errno::EINVAL)?;
        let (from, to) = (vma.start.max(start), vma.end.min(end));
        let first = vma.pgoff_of(from) << PAGE_SHIFT;
        Ok(Removal {
            mapping: file.mapping().clone(),
            bytes: first..first + (to - from),
            after_hole: vma.start > start,
            next: to,
        })
    }
}

/// One step of MADV_REMOVE.
pub struct Removal {
    /// The file.
    pub mapping: Arc<AddressSpace>,
    /// Bytes of the file.
    pub bytes: Range<u64>,
    /// Whether nothing was mapped right before.
    pub after_hole: bool,
    /// The address from which to go on.
    pub next: u64,
}

/// What an area refuses to be told: EINVAL for what makes no sense there, EACCES for a file that cannot be written,
/// EOPNOTSUPP for one that cannot have holes, EPERM for a sealed area.
fn check_area(vma: &Vma, advice: Advice) -> Result<(), Errno> {
    let discards = matches!(
        advice,
        Advice::DontNeed
            | Advice::DontNeedLocked
            | Advice::Free
            | Advice::Remove
            | Advice::DontFork
            | Advice::WipeOnFork
    );
    if discards {
        can_discard(vma)?;
    }
    let locked = vma.flags.contains(VmFlags::LOCKED);
    let refused = match advice {
        Advice::DontNeed | Advice::Reclaim => locked,
        Advice::Free => locked || vma.file.is_some(),
        Advice::Remove => locked || vma.file.is_none(),
        Advice::WipeOnFork => vma.file.is_some() || vma.is_shared(),
        _ => false,
    };
    if refused {
        return Err(Errno::EINVAL);
    }
    if advice == Advice::Remove {
        if !vma.is_shared() || !vma.may.contains(Prot::WRITE) {
            return Err(Errno::EACCES);
        }
        if vma.file.as_ref().is_some_and(|file| file.mapping().backing() != Backing::Memory) {
            return Err(Errno::EOPNOTSUPP);
        }
    }
    Ok(())
}
