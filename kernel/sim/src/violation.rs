//! What the simulated machine objects to. Real hardware would abort, corrupt memory or (worst) work by
//! luck; QEMU would say nothing. The machine goes on after a violation, so a test sees all of them.

use std::fmt;

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViolationKind {
    /// A physical address that no memory answers to.
    OutOfRange,
    /// A 64-bit access that is not single-copy atomic because it is not aligned.
    Misaligned,
    /// A free of frames that are free already.
    DoubleFree,
    /// A free whose address or order names no block of frames.
    BadFree,
    /// An access to a frame that is free.
    UseAfterFree,
    /// Frames freed while a TLB or a walker may still lead to them, or a device writes to them.
    FreedWhileInUse,
    /// A valid-to-valid change that needs break-before-make and did not get it.
    BreakBeforeMake,
    /// The Contiguous bit on entries that are not a whole, aligned, uniform block.
    Contiguous,
    /// Two TLB entries that translate one address differently.
    TlbConflict,
    /// An ASID used for another table, granule or T0SZ without invalidation in between.
    AsidReuse,
    /// A descriptor with bits set that must be zero.
    Descriptor,
    /// A step that leans on a barrier that was not there.
    MissingBarrier,
    /// An instruction fetch that returned bytes other than those in memory.
    StaleFetch,
    /// A TCR or TTBR change in an order that lets a walk mix the old and the new regime.
    Switch,
    /// A TLBI operand that names nothing.
    BadTlbi,
    /// A disk request that no driver may send.
    BadRequest,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub kind: ViolationKind,
    /// What happened, with the addresses and values needed to find the culprit.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

/// How many violations keep their text; later ones are only counted.
const KEPT: usize = 64;

/// All violations so far, oldest first.
#[derive(Default, Debug)]
pub struct Violations {
    list: Vec<Violation>,
    total: usize,
}

impl Violations {
    pub(crate) fn record(&mut self, kind: ViolationKind, message: fmt::Arguments<'_>) {
        self.total += 1;
        if self.list.len() < KEPT {
            self.list.push(Violation { kind, message: message.to_string() });
        }
    }

    /// The violations that kept their text.
    pub fn list(&self) -> &[Violation] {
        &self.list
    }

    /// How many there were, those without text included.
    pub fn total(&self) -> usize {
        self.total
    }

    pub(crate) fn take(&mut self) -> Vec<Violation> {
        self.total = 0;
        std::mem::take(&mut self.list)
    }
}
