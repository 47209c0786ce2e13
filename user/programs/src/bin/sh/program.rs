//! Becoming a program.

use crate::shell::{Shell, c_string};
use crate::source::{self, Then};
use alloc::ffi::CString;
use alloc::vec::Vec;
use rt::Arg;
use rt::io::{Reason, Text};
use rt::process;
use rt::sys::Errno;

/// Where programs are looked for if `PATH` is not set.
const DEFAULT_PATH: &[u8] = b"/bin:/sbin:/usr/bin:/usr/sbin";

const NOT_FOUND: i32 = 127;
const NOT_EXECUTABLE: i32 = 126;

/// The status for a program that could not be run.
pub fn status_of(errno: Errno) -> i32 {
    if matches!(errno, Errno::ENOENT | Errno::ENOTDIR) { NOT_FOUND } else { NOT_EXECUTABLE }
}

/// Becomes the program that `words` name. Returns, with the status set, if that can't be.
pub fn become_program(shell: &mut Shell, words: Vec<Vec<u8>>) {
    let name = words[0].clone();
    let strings: Vec<CString> = words.iter().map(|word| c_string(word)).collect();
    let environment = shell.variables.environment();
    let (argv, envp) = (list(&strings), list(&environment));
    let mut errno = Errno::ENOENT;
    for path in candidates(shell, &name) {
        match process::execve(&c_string(&path), &argv, &envp) {
            Errno::ENOENT | Errno::ENOTDIR => {}
            // A text without `#!`: this shell's own language.
            Errno::ENOEXEC if is_text(&path) => return run_script(shell, path, words),
            other => {
                errno = other;
                // Another directory may have one that can be run.
                if errno != Errno::EACCES {
                    break;
                }
            }
        }
    }
    let status = status_of(errno);
    if status == NOT_FOUND {
        shell.fail(status, format_args!("{}: not found", Text(&name)));
    } else {
        shell.fail(status, format_args!("{}: {}", Text(&name), Reason(errno)));
    }
}

/// The paths that a name may stand for.
pub fn candidates(shell: &Shell, name: &[u8]) -> Vec<Vec<u8>> {
    if name.contains(&b'/') {
        return Vec::from([name.to_vec()]);
    }
    if name.is_empty() {
        return Vec::new();
    }
    let path = shell.variables.get(b"PATH").unwrap_or(DEFAULT_PATH);
    let directory = |directory: &[u8]| if directory.is_empty() { b".".to_vec() } else { directory.to_vec() };
    path.split(|byte| *byte == b':').map(|part| [&directory(part), name].join(&b'/')).collect()
}

/// Strings as execve(2) wants them.
fn list(strings: &[CString]) -> Vec<Arg<'_>> {
    strings.iter().map(|text| Arg::new(text)).chain([Arg::END]).collect()
}

fn is_text(path: &[u8]) -> bool {
    source::read_file(path).is_ok_and(|text| {
        let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        !first_line.contains(&0)
    })
}

/// In place of a program: runs the commands of a file, as a new shell would.
fn run_script(shell: &mut Shell, path: Vec<u8>, words: Vec<Vec<u8>>) {
    shell.functions.clear();
    shell.take_arguments(words);
    shell.name = path;
    (shell.loops, shell.calls, shell.conditions) = (0, 0, 0);
    match source::read_file(&shell.name) {
        Ok(text) => shell.status = source::run_text(shell, &text, Then::Exit),
        Err(errno) => shell.fail(status_of(errno), format_args!("{}", Reason(errno))),
    }
}
