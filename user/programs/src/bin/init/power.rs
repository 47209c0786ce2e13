//! The end of the machine.

use rt::process;
use rt::rustix;

/// Ends the machine with `status`, or only this program when it isn't process 1.
///
/// Granule reads the status from the argument of a "restart" and hands it to QEMU. A Linux kernel
/// would restart: it is switched off instead, and the status is lost.
pub fn end(status: i32) -> ! {
    if process::getpid() != 1 {
        process::exit(status);
    }
    if on_granule() {
        rt::power::exit_machine(status);
    }
    rt::power::off();
    // Process 1 must not end by itself: the kernel would call it a panic, and rightly.
    rt::eprintln!("init: this machine can't be switched off by a program");
    process::exit(status)
}

fn on_granule() -> bool {
    let name = rustix::system::uname();
    name.version().to_bytes().windows(7).any(|word| word == b"Granule")
        || name.sysname().to_bytes() == b"Granule"
}
