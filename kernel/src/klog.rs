//! The kernel log: `log::info!` and its sisters, as lines with a time stamp on the console (Linux: `printk`).
//! `warn_once!` reports a broken invariant once and counts every time; tests ask that the count stays zero.

use crate::arch::barrier;
use crate::console;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU64, Ordering};
use log::{LevelFilter, Log, Metadata, Record};

/// As a serial terminal wants it.
const LINE_END: &[u8] = b"\r\n";

static LOGGER: Logger = Logger;
static START: AtomicU64 = AtomicU64::new(0);
static WARNINGS: AtomicU64 = AtomicU64::new(0);

struct Logger;

/// Starts the clock of the time stamps and takes the `log` macros.
pub fn init() {
    START.store(barrier::counter(), Ordering::Relaxed);
    // Fails only if there is a logger already.
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Microseconds since [`init`].
pub fn uptime_us() -> u64 {
    let ticks = barrier::counter() - START.load(Ordering::Relaxed);
    (u128::from(ticks) * 1_000_000 / u128::from(barrier::counter_frequency())) as u64
}

/// How often a [`warn_once!`] was reached.
pub fn warnings() -> u64 {
    WARNINGS.load(Ordering::Relaxed)
}

/// Counts for [`warn_once!`]; true the first time that `seen` is given.
pub fn note_warning(seen: &core::sync::atomic::AtomicBool) -> bool {
    WARNINGS.fetch_add(1, Ordering::Relaxed);
    !seen.swap(true, Ordering::Relaxed)
}

/// Logs a broken invariant the first time it is reached here, and counts it every time.
#[macro_export]
macro_rules! warn_once {
    ($($arg:tt)*) => {{
        static SEEN: core::sync::atomic::AtomicBool = core::sync::atomic::AtomicBool::new(false);
        if $crate::klog::note_warning(&SEEN) {
            log::error!("WARNING at {}:{}: {}", file!(), line!(), format_args!($($arg)*));
        }
    }};
}

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = Line::new();
        let _ = line.stamp();
        let _ = line.write_fmt(*record.args());
        line.finish(console::write);
    }

    fn flush(&self) {}
}

/// A line is put together here and sent in one go, so that lines of several CPUs do not mix.
pub struct Line {
    bytes: arrayvec::ArrayVec<u8, 512>,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self { bytes: arrayvec::ArrayVec::new_const() }
    }

    /// Puts the time stamp in front, in Linux's form.
    pub fn stamp(&mut self) -> fmt::Result {
        let us = uptime_us();
        write!(self, "[{:5}.{:06}] ", us / 1_000_000, us % 1_000_000)
    }

    /// Ends the line and hands it to `write`.
    pub fn finish(mut self, write: impl FnOnce(&[u8])) {
        self.bytes.truncate(self.bytes.capacity() - LINE_END.len());
        self.bytes.extend(LINE_END.iter().copied());
        write(&self.bytes);
    }
}

impl Write for Line {
    /// What does not fit is cut off: a log line must never fail.
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.bytes.remaining_capacity().min(s.len());
        self.bytes.extend(s.as_bytes()[..room].iter().copied());
        Ok(())
    }
}
