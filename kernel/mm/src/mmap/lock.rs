//! mlock, munlock, mlockall: areas that stay in memory (Linux's `mm/mlock.c`). Nothing that is mapped is taken away here
//! in any case, so a lock is a flag, its limit, and the faults that the caller makes afterwards.

use crate::hw::Hw;
use crate::mm::Mm;
use crate::vma::VmFlags;
use abi::Errno;

/// Whether the caller may lock as much as it likes (CAP_IPC_LOCK).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// It may.
    Unlimited,
    /// RLIMIT_MEMLOCK holds.
    Limited,
}

/// How areas are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locking {
    /// Not at all.
    Unlocked,
    /// At once.
    Now,
    /// As pages are touched.
    OnFault,
}

/// What `mlockall` locks: the areas that there are, and those to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockAll {
    /// For the areas of now; `None` leaves them.
    pub current: Option<Locking>,
    /// For those to come.
    pub future: Locking,
}

impl Locking {
    fn flags(self) -> VmFlags {
        match self {
            Locking::Unlocked => VmFlags::empty(),
            Locking::Now => VmFlags::LOCKED,
            Locking::OnFault => VmFlags::LOCKED_MASK,
        }
    }
}

impl<H: Hw> Mm<H> {
    /// Bytes in locked areas.
    pub fn locked_vm(&self) -> u64 {
        self.locked_in(0, u64::MAX)
    }

    fn locked_in(&self, start: u64, end: u64) -> u64 {
        let locked =
            self.vmas.overlapping(start, end).iter().filter(|vma| vma.flags.contains(VmFlags::LOCKED));
        locked.map(|vma| vma.end.min(end) - vma.start.max(start)).sum()
    }

    /// Whether the caller may lock anything (Linux's `can_do_mlock`). EPERM if not.
    pub fn can_do_mlock(&self, privilege: Privilege) -> Result<(), Errno> {
        if self.limits.memlock != 0 || privilege == Privilege::Unlimited { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Whether areas to come are locked.
    pub fn locks_future(&self) -> bool {
        self.def_flags.contains(VmFlags::LOCKED)
    }

    /// Whether an area of `len` bytes that would be locked from its beginning is within the limit (Linux's
    /// `mlock_future_ok`). EAGAIN if not.
    pub fn mlock_future_ok(&self, len: u64, flags: VmFlags, privilege: Privilege) -> Result<(), Errno> {
        let locks = (self.def_flags | flags).contains(VmFlags::LOCKED);
        if !locks || privilege == Privilege::Unlimited {
            return Ok(());
        }
        let total = self.locked_vm().saturating_add(len);
        if total > self.limits.memlock { Err(Errno::EAGAIN) } else { Ok(()) }
    }

    /// Locks `start..end`, which is aligned and not empty. EPERM and ENOMEM as the limit has it, ENOMEM for a hole; what lies
    /// below that is locked.
    pub fn mlock(
        &mut self,
        start: u64,
        end: u64,
        locking: Locking,
        privilege: Privilege,
    ) -> Result<(), Errno> {
        let total = self.locked_vm().saturating_add(end - start) - self.locked_in(start, end);
        if total > self.limits.memlock && privilege == Privilege::Limited {
            return Err(Errno::ENOMEM);
        }
        self.set_locked(start, end, locking)
    }

    /// Unlocks `start..end`. ENOMEM for a hole, as above.
    pub fn munlock(&mut self, start: u64, end: u64) -> Result<(), Errno> {
        self.set_locked(start, end, Locking::Unlocked)
    }

    /// Locks what there is, what comes, or both. ENOMEM beyond the limit.
    pub fn mlockall(&mut self, what: LockAll, privilege: Privilege) -> Result<(), Errno> {
        let too_much = self.counters.total_vm > self.limits.memlock && privilege == Privilege::Limited;
        if what.current.is_some() && too_much {
            return Err(Errno::ENOMEM);
        }
        self.def_flags = what.future.flags();
        if let Some(locking) = what.current {
            let flags = locking.flags();
            self.vmas.modify(0, u64::MAX, |vma| vma.flags = (vma.flags - VmFlags::LOCKED_MASK) | flags);
        }
        Ok(())
    }

    fn set_locked(&mut self, start: u64, end: u64, locking: Locking) -> Result<(), Errno> {
        let until = self.covered_from(start, end).min(end);
        if until > start {
            self.vmas.reserve(2)?;
            self.vmas.split(start);
            self.vmas.split(until);
            let flags = locking.flags();
            self.vmas.modify(start, until, |vma| vma.flags = (vma.flags - VmFlags::LOCKED_MASK) | flags);
        }
        if until < end { Err(Errno::ENOMEM) } else { Ok(()) }
    }
}
