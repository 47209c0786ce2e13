//! A panic prints its message and ends the program as abort(3) would look to a shell: status 134.

use crate::eprintln;
use core::panic::PanicInfo;

/// 128 and SIGABRT. No signal is raised: the message is the evidence, and a test of signals must not
/// depend on them here.
const ABORTED: i32 = 134;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{info}");
    crate::process::exit(ABORTED)
}
