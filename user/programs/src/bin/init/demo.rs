//! What a newcomer sees: a few programs, one after the other.

use crate::command;
use core::ffi::CStr;
use rt::Arg;

/// The programs and their words.
const STEPS: &[&[&CStr]] = &[&[c"hello"], &[c"ls", c"-l", c"/"], &[c"cat", c"/etc/motd"], &[c"memory"]];

/// Runs the demonstration.
pub fn show(envp: &[Arg<'_>]) {
    rt::println!("\nThis is init, the first program on the disk. It starts some others:");
    for step in STEPS {
        let mut argv = [Arg::END; 8];
        rt::print!("\n#");
        for (slot, word) in argv.iter_mut().zip(*step) {
            rt::print!(" {}", rt::io::Text(word.to_bytes()));
            *slot = Arg::new(word);
        }
        rt::println!();
        let status = command::run(&argv, envp);
        if status != 0 {
            rt::println!("(status {status})");
        }
    }
}
