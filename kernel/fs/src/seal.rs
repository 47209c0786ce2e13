//! What may no longer be done to a file in memory: the seals of `memfd_create(2)`. Mirrors Linux's `mm/memfd.c`.

use abi::Errno;
use bitflags::bitflags;
use spin::Mutex;

bitflags! {
    /// `F_SEAL_*`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Seals: u32 {
        /// No further seals.
        const SEAL = 0x1;
        /// It does not become smaller.
        const SHRINK = 0x2;
        /// It does not become larger.
        const GROW = 0x4;
        /// Its bytes do not change.
        const WRITE = 0x8;
        /// Its bytes do not change but by mappings that there are already.
        const FUTURE_WRITE = 0x10;
        /// Whether it can be executed does not change.
        const EXEC = 0x20;
    }
}

impl Seals {
    /// Seals against `write(2)` and new writable mappings.
    pub const NO_WRITES: Seals = Seals::WRITE.union(Seals::FUTURE_WRITE);
}

/// The seals of one file.
pub struct Sealing {
    state: Mutex<State>,
}

struct State {
    seals: Seals,
    /// Shared mappings that are writable or may become so.
    writable_mappings: u32,
}

impl Sealing {
    /// A file with these seals.
    pub const fn new(seals: Seals) -> Sealing {
        Sealing { state: Mutex::new(State { seals, writable_mappings: 0 }) }
    }

    /// `F_GET_SEALS`.
    pub fn get(&self) -> Seals {
        self.state.lock().seals
    }

    /// `F_ADD_SEALS` on a file with permission bits `mode`. EPERM if it takes no more; EBUSY for `WRITE` while there are
    /// shared mappings that could write.
    pub fn add(&self, mut seals: Seals, mode: u32) -> Result<(), Errno> {
        let mut state = self.state.lock();
        if state.seals.contains(Seals::SEAL) {
            return Err(Errno::EPERM);
        }
        if seals.contains(Seals::WRITE) && state.writable_mappings != 0 {
            return Err(Errno::EBUSY);
        }
        // What can be executed and stays so must not change.
        if seals.contains(Seals::EXEC) && mode & 0o111 != 0 {
            seals |= Seals::SHRINK | Seals::GROW | Seals::NO_WRITES;
        }
        state.seals |= seals;
        Ok(())
    }

    /// A shared mapping comes, through an open file that could write. Whether it may write and counts; EPERM if it is to
    /// write at once and may not.
    pub fn map_shared(&self, writes: bool) -> Result<bool, Errno> {
        let mut state = self.state.lock();
        if state.seals.intersects(Seals::NO_WRITES) {
            return if writes { Err(Errno::EPERM) } else { Ok(false) };
        }
        state.writable_mappings = state.writable_mappings.checked_add(1).ok_or(Errno::ENOMEM)?;
        Ok(true)
    }

    /// One that counted goes.
    pub fn unmap_shared(&self) {
        self.state.lock().writable_mappings -= 1;
    }

    /// Whether the size may change so.
    pub fn check_resize(&self, from: u64, to: u64) -> Result<(), Errno> {
        let seals = self.get();
        let sealed = to < from && seals.contains(Seals::SHRINK) || to > from && seals.contains(Seals::GROW);
        if sealed { Err(Errno::EPERM) } else { Ok(()) }
    }
}
