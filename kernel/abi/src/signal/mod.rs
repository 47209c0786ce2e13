//! Signals: numbers, sets, what they do by themselves, and what `rt_sigaction(2)` says of them. Linux's
//! `asm-generic/signal.h` and the tables of `linux/signal.h`.

mod frame;
mod info;

pub use frame::{
    BadFrame, FRAME_RECORD_SIZE, FpsimdContext, FrameHead, MIN_STACK, RECORDS_OFFSET, RT_SIGFRAME_SIZE,
    RtSigframe, find_fpsimd, user_pstate,
};
pub use info::{SigInfo, code};

use bitflags::bitflags;
use core::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Signals are numbered from 1 to this.
pub const NSIG: u8 = 64;

/// The first real-time signal: from here on each one that is sent is kept.
const SIGRTMIN: u8 = 32;

/// A signal's number, 1 to [`NSIG`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal(u8);

macro_rules! signals {
    ($($name:ident = $number:literal $action:ident),* $(,)?) => {
        impl Signal {
            $(
                #[doc = concat!("`", stringify!($name), "`.")]
                pub const $name: Signal = Signal($number);
            )*

            /// Linux's name; real-time signals share one.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($number => stringify!($name),)*
                    _ => "real-time signal",
                }
            }

            /// What happens if the program has not said otherwise (`signal(7)`).
            pub const fn default_action(self) -> DefaultAction {
                match self.0 {
                    $($number => DefaultAction::$action,)*
                    _ => DefaultAction::Terminate,
                }
            }
        }
    };
}

signals! {
    SIGHUP = 1 Terminate, SIGINT = 2 Terminate, SIGQUIT = 3 Core, SIGILL = 4 Core, SIGTRAP = 5 Core,
    SIGABRT = 6 Core, SIGBUS = 7 Core, SIGFPE = 8 Core, SIGKILL = 9 Terminate, SIGUSR1 = 10 Terminate,
    SIGSEGV = 11 Core, SIGUSR2 = 12 Terminate, SIGPIPE = 13 Terminate, SIGALRM = 14 Terminate,
    SIGTERM = 15 Terminate, SIGSTKFLT = 16 Terminate, SIGCHLD = 17 Ignore, SIGCONT = 18 Continue,
    SIGSTOP = 19 Stop, SIGTSTP = 20 Stop, SIGTTIN = 21 Stop, SIGTTOU = 22 Stop, SIGURG = 23 Ignore,
    SIGXCPU = 24 Core, SIGXFSZ = 25 Core, SIGVTALRM = 26 Terminate, SIGPROF = 27 Terminate,
    SIGWINCH = 28 Ignore, SIGIO = 29 Terminate, SIGPWR = 30 Terminate, SIGSYS = 31 Core,
}

/// What a signal does to a program that has no handler for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultAction {
    /// Ends it.
    Terminate,
    /// Ends it, with an image of its memory where that is wanted.
    Core,
    /// Nothing.
    Ignore,
    /// Stops it until SIGCONT.
    Stop,
    /// Lets it go on.
    Continue,
}

impl Signal {
    /// The signal with this number, or `None` if there is none.
    pub const fn new(number: u64) -> Option<Signal> {
        if number >= 1 && number <= NSIG as u64 { Some(Signal(number as u8)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// Its place in a table of all signals.
    pub const fn index(self) -> usize {
        self.0 as usize - 1
    }

    /// Whether each one that is sent is kept, and none is merged with another.
    pub const fn is_realtime(self) -> bool {
        self.0 >= SIGRTMIN
    }

    /// Whether programs can neither catch, block nor ignore it.
    pub const fn is_kernel_only(self) -> bool {
        SigSet::KERNEL_ONLY.contains(self)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_realtime() { write!(f, "SIGRT{}", self.0) } else { f.write_str(self.name()) }
    }
}

/// A set of signals, `sigset_t`: signal `n` is bit `n - 1`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct SigSet(pub u64);

impl SigSet {
    /// No signal.
    pub const EMPTY: SigSet = SigSet(0);

    /// SIGKILL and SIGSTOP.
    pub const KERNEL_ONLY: SigSet = SigSet::of(&[Signal::SIGKILL, Signal::SIGSTOP]);

    /// Those that a program causes by what it executes: they come first.
    pub const SYNCHRONOUS: SigSet = SigSet::of(&[
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGILL,
        Signal::SIGTRAP,
        Signal::SIGFPE,
        Signal::SIGSYS,
    ]);

    /// Those that stop a program by default.
    pub const STOP: SigSet =
        SigSet::of(&[Signal::SIGSTOP, Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU]);

    /// The set of these.
    pub const fn of(signals: &[Signal]) -> SigSet {
        let mut bits = 0;
        let mut at = 0;
        while at < signals.len() {
            bits |= 1 << signals[at].index();
            at += 1;
        }
        SigSet(bits)
    }

    /// Whether `signal` is in it.
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 >> signal.index() & 1 != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This and `signal`.
    pub const fn with(self, signal: Signal) -> SigSet {
        SigSet(self.0 | 1 << signal.index())
    }

    /// This without what is in `other`.
    pub const fn without(self, other: SigSet) -> SigSet {
        SigSet(self.0 & !other.0)
    }

    /// What is in either.
    pub const fn union(self, other: SigSet) -> SigSet {
        SigSet(self.0 | other.0)
    }

    /// What is in both.
    pub const fn intersection(self, other: SigSet) -> SigSet {
        SigSet(self.0 & other.0)
    }

    /// The one to be delivered first: what the program caused itself, then the lowest number.
    pub const fn first(self) -> Option<Signal> {
        let urgent = self.intersection(SigSet::SYNCHRONOUS);
        let bits = if urgent.is_empty() { self.0 } else { urgent.0 };
        Signal::new(bits.trailing_zeros() as u64 + 1)
    }
}

bitflags! {
    /// `SA_*`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SaFlags: u64 {
        /// No SIGCHLD when children stop or go on.
        const NOCLDSTOP = 0x1;
        /// Children that end leave no zombies.
        const NOCLDWAIT = 0x2;
        /// The handler takes three arguments.
        const SIGINFO = 0x4;
        /// Tag bits of fault addresses are shown.
        const EXPOSE_TAGBITS = 0x800;
        /// `restorer` is set.
        const RESTORER = 0x400_0000;
        /// The handler runs on the alternate stack.
        const ONSTACK = 0x800_0000;
        /// Interrupted calls start again.
        const RESTART = 0x1000_0000;
        /// The signal is not blocked in its handler.
        const NODEFER = 0x4000_0000;
        /// The action becomes the default one when the handler is called.
        const RESETHAND = 0x8000_0000;
    }
}

/// `struct sigaction` of arm64: what happens on a signal.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct SigAction {
    /// Address of the handler, [`SIG_DFL`](SigAction::SIG_DFL) or [`SIG_IGN`](SigAction::SIG_IGN).
    pub handler: u64,
    /// [`SaFlags`].
    pub flags: u64,
    /// Where the handler returns to, with `SA_RESTORER`.
    pub restorer: u64,
    /// What is blocked while the handler runs.
    pub mask: SigSet,
}

impl SigAction {
    /// The default action.
    pub const SIG_DFL: u64 = 0;
    /// Ignore it.
    pub const SIG_IGN: u64 = 1;

    /// The flags.
    pub const fn flags(&self) -> SaFlags {
        SaFlags::from_bits_truncate(self.flags)
    }

    /// Whether `signal` has no effect under this action.
    pub fn ignores(&self, signal: Signal) -> bool {
        match self.handler {
            SigAction::SIG_IGN => true,
            SigAction::SIG_DFL => {
                matches!(signal.default_action(), DefaultAction::Ignore | DefaultAction::Continue)
            }
            _ => false,
        }
    }
}

/// `stack_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct SigStack {
    /// Lowest address.
    pub sp: u64,
    /// `SS_*`.
    pub flags: u32,
    /// Padding.
    pub pad: u32,
    /// Bytes.
    pub size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_are_no_signals() {
        assert_eq!(Signal::new(0), None);
        assert_eq!(Signal::new(65), None);
        assert_eq!(Signal::new(64).map(Signal::number), Some(64));
    }

    #[test]
    fn what_the_program_caused_comes_first() {
        let set = SigSet::of(&[Signal::SIGHUP, Signal::SIGSEGV, Signal::SIGBUS]);
        assert_eq!(set.first(), Some(Signal::SIGBUS));
        assert_eq!(SigSet::of(&[Signal::SIGTERM, Signal::SIGINT]).first(), Some(Signal::SIGINT));
        assert_eq!(SigSet::EMPTY.first(), None);
        assert_eq!(SigSet(1 << 63).first(), Signal::new(64));
    }

    #[test]
    fn some_signals_are_ignored_by_default() {
        let default = SigAction::default();
        let ignored = (1..=64).filter_map(Signal::new).filter(|&signal| default.ignores(signal));
        assert_eq!(
            ignored.collect::<alloc::vec::Vec<_>>(),
            [Signal::SIGCHLD, Signal::SIGCONT, Signal::SIGURG, Signal::SIGWINCH]
        );
    }
}
