//! What a newcomer sees: a few commands, one after the other.

use crate::shell::Shell;
use core::ffi::CStr;

const STEPS: [&CStr; 5] = [c"hello", c"ls -l /", c"cat /etc/motd", c"memory", c"sizes"];

/// Runs the demonstration.
pub fn show(shell: &Shell<'_>) {
    rt::println!("\nThis is init, the first program on the disk. It has the shell run some others:");
    for step in STEPS {
        rt::println!("\n# {}", rt::io::Text(step.to_bytes()));
        let status = shell.run(Some(step));
        if status != 0 {
            rt::println!("(status {status})");
        }
    }
}
