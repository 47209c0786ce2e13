//! Signals as far as they exist: what a fault would send ends the program as the signal would.

use super::current;
use super::exit::{ExitReason, exit};
use crate::arch::fault::Esr;
use crate::arch::trap::TrapFrame;

/// A signal's number, Linux's `asm-generic/signal.h`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signal(u8);

macro_rules! signals {
    ($($name:ident = $number:literal),* $(,)?) => {
        impl Signal {
            $(
                #[doc = concat!("`", stringify!($name), "`.")]
                pub const $name: Signal = Signal($number);
            )*

            /// Linux's name.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($number => stringify!($name),)*
                    _ => "signal",
                }
            }
        }
    };
}

signals! { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGSEGV = 11, SIGPIPE = 13 }

impl Signal {
    /// The number.
    pub fn number(self) -> u32 {
        self.0.into()
    }
}

impl core::fmt::Debug for Signal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// The program did at `frame` what cannot be helped: it ends as by `signal`, with a line in the log.
pub fn force_signal(signal: Signal, addr: u64, esr: Esr, frame: &TrapFrame) -> ! {
    let task = current();
    let (comm, len) = task.comm();
    log::info!(
        "{}[{}]: {signal:?} at {addr:#018x}, pc {:#018x}, sp {:#018x}, ESR {:#010x} ({})",
        comm[..len].escape_ascii(),
        task.pid(),
        frame.pc,
        frame.sp,
        esr.0,
        esr.name(),
    );
    exit(ExitReason::Signal(signal))
}
