//! The end of the kernel: what happened, where, and status 101 to whoever started the machine.

use crate::arch::exit;
use crate::console;
use crate::klog::Line;
use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

/// QEMU's exit status after a kernel panic.
pub const STATUS: u8 = 101;

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    crate::arch::barrier::irq_disable();
    // A panic inside a panic says nothing more.
    if !PANICKING.swap(true, Ordering::Relaxed) {
        print(format_args!("kernel panic: {}", info.message()));
        if let Some(at) = info.location() {
            print(format_args!("  at {}:{}:{}", at.file(), at.line(), at.column()));
        }
    }
    exit::exit(STATUS)
}

/// One line of the panic report.
fn print(text: core::fmt::Arguments<'_>) {
    let mut line = Line::new();
    let _ = line.stamp();
    let _ = line.write_fmt(text);
    line.finish(console::write_in_panic);
}
