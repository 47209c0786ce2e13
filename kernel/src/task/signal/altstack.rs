//! The alternate stack for handlers. Mirrors `do_sigaltstack`.

use crate::arch::trap::TrapFrame;
use abi::Errno;
use abi::signal::SigStack;

const SS_ONSTACK: u32 = 1;
const SS_DISABLE: u32 = 2;
const SS_AUTODISARM: u32 = 1 << 31;

/// Least size that can be set on arm64.
const MINSIGSTKSZ: u64 = 5120;

/// The alternate stack of a thread; none if its size is 0.
#[derive(Clone, Copy, Default)]
pub struct AltStack {
    sp: u64,
    size: u64,
    flags: u32,
}

impl AltStack {
    /// Whether a program whose stack pointer is `sp` runs on it. One that disarms itself does not count.
    fn is_active(&self, sp: u64) -> bool {
        self.flags & SS_AUTODISARM == 0 && sp > self.sp && sp - self.sp <= self.size
    }

    /// As `sigaltstack` shows it to a program whose stack pointer is `sp`.
    pub fn show(&self, sp: u64) -> SigStack {
        let state = match self.size {
            0 => SS_DISABLE,
            _ if self.is_active(sp) => SS_ONSTACK,
            _ => 0,
        };
        SigStack { sp: self.sp, flags: state | self.flags & SS_AUTODISARM, pad: 0, size: self.size }
    }

    /// Sets it for a program whose stack pointer is `sp`: EPERM while it is in use, EINVAL for unknown flags, ENOMEM if it is
    /// too small.
    pub fn set(&mut self, new: &SigStack, sp: u64) -> Result<(), Errno> {
        if self.is_active(sp) {
            return Err(Errno::EPERM);
        }
        let mode = new.flags & !SS_AUTODISARM;
        match mode {
            SS_DISABLE => *self = AltStack { sp: 0, size: 0, flags: new.flags },
            0 | SS_ONSTACK if new.size < MINSIGSTKSZ => return Err(Errno::ENOMEM),
            0 | SS_ONSTACK => *self = AltStack { sp: new.sp, size: new.size, flags: new.flags },
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// For a handler that wants it: where its stack begins. The stack that is in use goes on, and so does that of the
    /// program if there is none.
    pub(super) fn top(&self, frame: &TrapFrame) -> u64 {
        if self.size == 0 || self.is_active(frame.sp) { frame.sp } else { self.sp.wrapping_add(self.size) }
    }

    /// As a handler's frame keeps it; a stack that disarms itself is gone from here on.
    pub(super) fn save(&mut self) -> SigStack {
        let saved = SigStack { sp: self.sp, flags: self.flags, pad: 0, size: self.size };
        if self.flags & SS_AUTODISARM != 0 {
            *self = AltStack { flags: SS_DISABLE, ..AltStack::default() };
        }
        saved
    }
}
