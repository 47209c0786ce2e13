//! Running the shell as a child.

use core::ffi::CStr;
use rt::Arg;
use rt::process::{self, Wait};
use rt::sys::Errno;

const SHELL: &CStr = c"/bin/sh";

/// Where programs are looked for.
const PATH: &CStr = c"PATH=/bin:/sbin:/usr/bin:/usr/sbin:/tests:/bench";

/// What shells return when there is no such program, and when it can't be run.
const NOT_FOUND: i32 = 127;
pub const NOT_EXECUTABLE: i32 = 126;

/// The most variables that the kernel or a caller may give.
const VARIABLES_MAX: usize = 256;

/// How shells are started.
pub struct Shell<'a> {
    environment: [Arg<'a>; VARIABLES_MAX + 2],
}

impl<'a> Shell<'a> {
    /// With this environment, and a `PATH` if it has none; `None` if it is too large.
    pub fn with_environment(inherited: &[Arg<'a>]) -> Option<Shell<'a>> {
        // The list's end is one of its entries.
        if inherited.len() > VARIABLES_MAX + 1 {
            return None;
        }
        let mut environment = [Arg::END; VARIABLES_MAX + 2];
        let mut len = 0;
        for variable in inherited.iter().filter(|variable| variable.text().is_some()) {
            environment[len] = *variable;
            len += 1;
        }
        let is_path = |arg: &Arg<'_>| arg.text().is_some_and(|text| text.to_bytes().starts_with(b"PATH="));
        if !environment.iter().any(is_path) {
            environment[len] = Arg::new(PATH);
        }
        Some(Shell { environment })
    }

    /// Runs a text, or what the console says, to its end; returns the shell's status.
    pub fn run(&self, text: Option<&CStr>) -> i32 {
        let argv = match text {
            Some(text) => [Arg::new(c"sh"), Arg::new(c"-c"), Arg::new(c"--"), Arg::new(text), Arg::END],
            None => [Arg::new(c"sh"), Arg::END, Arg::END, Arg::END, Arg::END],
        };
        let become_shell = || {
            // A session of its own, so that the keys of the console send signals to what runs there. Where the console
            // is no terminal, there are no keys.
            if rt::terminal::set_sid().is_ok() {
                let _ = rt::terminal::control(0);
            }
            let errno = process::execve(SHELL, &argv, &self.environment);
            rt::eprintln!("init: {}: {errno}", rt::io::Text(SHELL.to_bytes()));
            if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE }
        };
        let pid = match process::spawn(become_shell) {
            Ok(pid) => pid,
            Err(errno) => {
                rt::eprintln!("init: no process could be made: {errno}");
                return NOT_EXECUTABLE;
            }
        };
        // Orphans of other programs come by here too: they are collected and forgotten.
        loop {
            match process::wait(-1, Wait::Blocking) {
                Ok(Some((child, ended))) if child == pid => return ended.status(),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => {
                    rt::eprintln!("init: waiting for process {pid}: {errno}");
                    return NOT_EXECUTABLE;
                }
            }
        }
    }
}
