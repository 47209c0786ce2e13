//! madvise: what may be forgotten, and hints (Linux's `mm/madvise.c`).

use crate::hw::Hw;
use crate::mm::Mm;
use crate::vma::VmFlags;
use abi::Errno;

/// An advice that this kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Hints without an effect here: MADV_NORMAL, RANDOM, SEQUENTIAL, WILLNEED, COLD, PAGEOUT.
    Hint,
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
            0..=3 | 20 | 21 => Advice::Hint,
            4 => Advice::DontNeed,
            8 => Advice::Free,
            10 => Advice::DontFork,
            11 => Advice::DoFork,
            14 => Advice::HugePage,
            15 => Advice::NoHugePage,
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
            if advice == Advice::Free && vma.file.is_some() {
                return Err(Errno::EINVAL);
            }
            self.advise_area(from, to, advice)?;
            next = to;
        }
        if holes { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    fn advise_area(&mut self, start: u64, end: u64, advice: Advice) -> Result<(), Errno> {
        let (set, clear) = match advice {
            Advice::Hint => return Ok(()),
            Advice::DontNeed | Advice::Free => {
                self.zap_range(start, end);
                return Ok(());
            }
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
}
