//! The end of the kernel: what happened, the registers, how it came there, and status 101 to whoever started the
//! machine.

use crate::arch::{backtrace, exit};
use crate::klog::Line;
use crate::{console, ksyms};
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

/// QEMU's exit status after a kernel panic.
pub const STATUS: u8 = 101;
/// Lines of a backtrace at most.
const DEEPEST: usize = 64;
/// Frame records looked at: a longer chain than any stack holds is a circle.
const LONGEST: usize = 4096;

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    begin(format_args!("{}", info.message()));
    if let Some(at) = info.location() {
        print(format_args!("  at {}:{}:{}", at.file(), at.line(), at.column()));
    }
    print_backtrace(None, backtrace::here());
    exit::exit(STATUS)
}

/// Ends the kernel after an exception in it: `what` is the decoded cause, `registers` prints a line or more, `pc`
/// and `fp` are those of the interrupted code.
pub fn die(what: fmt::Arguments<'_>, registers: &dyn fmt::Display, pc: u64, fp: u64) -> ! {
    begin(what);
    let mut lines = Lines(Line::new());
    let _ = lines.0.stamp();
    let _ = write!(lines, "{registers}");
    lines.0.finish(console::write_in_panic);
    print_backtrace(Some(pc), backtrace::from(fp));
    exit::exit(STATUS)
}

/// Ends the kernel for a reason that no backtrace explains, with one clear line: no disk, no init.
pub fn fatal(what: fmt::Arguments<'_>) -> ! {
    begin(what);
    exit::exit(STATUS)
}

/// The first line. A panic inside a panic gets no further than a short note.
fn begin(what: fmt::Arguments<'_>) {
    crate::arch::barrier::irq_disable();
    if PANICKING.swap(true, Ordering::Relaxed) {
        print(format_args!("kernel panic inside a panic"));
        exit::exit(STATUS);
    }
    print(format_args!("kernel panic: {what}"));
}

fn print_backtrace(pc: Option<u64>, frames: backtrace::Frames) {
    print(format_args!("backtrace:"));
    // A return address is one instruction behind the call, which may be the last of its function.
    let returns = frames.map(|address| address.wrapping_sub(4));
    let (mut last, mut repeats, mut lines) = (0, 0, 0);
    for address in pc.into_iter().chain(returns).take(LONGEST) {
        if address == last {
            repeats += 1; // a recursion that ran away
            continue;
        }
        if repeats > 0 {
            print(format_args!("  ... {repeats} times more"));
        }
        (last, repeats, lines) = (address, 0, lines + 1);
        if lines > DEEPEST {
            return;
        }
        match ksyms::lookup(address) {
            Some((name, offset)) => print(format_args!("  {address:016x} {name}+{offset:#x}")),
            None => print(format_args!("  {address:016x}")),
        }
    }
}

/// One line of the report.
fn print(text: fmt::Arguments<'_>) {
    let mut line = Line::new();
    let _ = line.stamp();
    let _ = line.write_fmt(text);
    line.finish(console::write_in_panic);
}

/// Cuts text at its line ends into stamped lines.
struct Lines(Line);

impl Write for Lines {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for (i, part) in s.split('\n').enumerate() {
            if i > 0 {
                core::mem::replace(&mut self.0, Line::new()).finish(console::write_in_panic);
                self.0.stamp()?;
            }
            self.0.write_str(part)?;
        }
        Ok(())
    }
}
