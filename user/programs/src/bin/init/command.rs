//! Running one program as a child, found by its name.

use core::ffi::CStr;
use rt::Arg;
use rt::process::{self, Wait};
use rt::sys::Errno;

/// Where a name without a slash is looked for.
const DIRECTORIES: [&str; 5] = ["/bin", "/sbin", "/usr/bin", "/tests", "/bench"];

/// What shells return when there is no such program, and when it can't be run.
const NOT_FOUND: i32 = 127;
pub const NOT_EXECUTABLE: i32 = 126;

const PATH_MAX: usize = 4096;

/// Runs `argv` to its end and returns its status as a shell would count it.
pub fn run(argv: &[Arg<'_>], envp: &[Arg<'_>]) -> i32 {
    let Some(name) = argv.first().and_then(|first| first.text()) else { return NOT_FOUND };
    let pid = match process::spawn(|| become_program(name, argv, envp)) {
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

/// In the child: becomes the program, or says why not and returns the status to exit with.
fn become_program(name: &CStr, argv: &[Arg<'_>], envp: &[Arg<'_>]) -> i32 {
    let errno = if name.to_bytes().contains(&b'/') {
        process::execve(name, argv, envp)
    } else {
        search(name, argv, envp)
    };
    rt::eprintln!("init: {}: {errno}", rt::io::Text(name.to_bytes()));
    if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE }
}

/// Tries the directories in order; the error is that of the first place where there was something.
fn search(name: &CStr, argv: &[Arg<'_>], envp: &[Arg<'_>]) -> Errno {
    for directory in DIRECTORIES {
        let mut path = [0; PATH_MAX];
        let Some(path) = join(directory, name, &mut path) else { return Errno::ENAMETOOLONG };
        match process::execve(path, argv, envp) {
            Errno::ENOENT | Errno::ENOTDIR => {}
            errno => return errno,
        }
    }
    Errno::ENOENT
}

/// `directory/name` in `buffer`, which is all zeros before.
fn join<'a>(directory: &str, name: &CStr, buffer: &'a mut [u8]) -> Option<&'a CStr> {
    let name = name.to_bytes();
    let len = directory.len() + 1 + name.len();
    if len >= buffer.len() {
        return None;
    }
    buffer[..directory.len()].copy_from_slice(directory.as_bytes());
    buffer[directory.len()] = b'/';
    buffer[directory.len() + 1..len].copy_from_slice(name);
    CStr::from_bytes_until_nul(buffer).ok()
}
