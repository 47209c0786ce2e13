//! Processes: fork, execve, wait, exit.

use crate::args::Arg;
use crate::sys::{Errno, raw, syscall};
use core::ffi::CStr;
use core::fmt;

/// A process number.
pub type Pid = i32;

/// Ends the program.
pub fn exit(status: i32) -> ! {
    // SAFETY: nothing of this program runs after it.
    let _ = unsafe { syscall(raw::__NR_exit_group, [status as usize]) };
    // A kernel that comes back from exit_group has nothing better to offer than a trap.
    loop {
        // SAFETY: no memory is touched.
        unsafe { core::arch::asm!("brk #1") };
    }
}

/// Which side of a fork this is.
pub enum Fork {
    /// The new process.
    Child,
    /// The old one, and the number of its child.
    Parent(Pid),
}

/// A copy of this process, by clone(2) with SIGCHLD, as arm64 has no fork(2).
pub fn fork() -> Result<Fork, Errno> {
    const SIGCHLD: usize = 17;
    // SAFETY: no new stack and no shared memory: the child goes on with its own copy. These programs
    // have one thread.
    match unsafe { syscall(raw::__NR_clone, [SIGCHLD, 0, 0, 0, 0]) }? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid as Pid)),
    }
}

/// Runs `work` in a child that ends with its result.
pub fn spawn(work: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    match fork()? {
        Fork::Child => exit(work()),
        Fork::Parent(pid) => Ok(pid),
    }
}

/// Becomes another program; returns only with an error. Both lists end with [`Arg::END`].
pub fn execve(path: &CStr, argv: &[Arg<'_>], envp: &[Arg<'_>]) -> Errno {
    let ends = |list: &[Arg<'_>]| list.last().is_some_and(|last| last.text().is_none());
    assert!(ends(argv) && ends(envp));
    let args = [path.as_ptr() as usize, argv.as_ptr() as usize, envp.as_ptr() as usize];
    // SAFETY: the kernel only reads the lists.
    match unsafe { syscall(raw::__NR_execve, args) } {
        Err(errno) => errno,
        Ok(_) => Errno::EIO,
    }
}

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it.
    Killed(i32),
}

impl Ended {
    /// The number that a shell would show: the status, or 128 and the signal.
    pub fn status(self) -> i32 {
        match self {
            Ended::Exited(status) => status,
            Ended::Killed(signal) => 128 + signal,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Exited(status) => write!(f, "exit status {status}"),
            Ended::Killed(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

/// How `wait4` waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Until a child has ended.
    Blocking,
    /// Not at all (`WNOHANG`).
    Poll,
}

/// Waits for child `pid`, or for any with -1. `None`: there are children, but none has ended yet.
pub fn wait(pid: Pid, how: Wait) -> Result<Option<(Pid, Ended)>, Errno> {
    let mut status = 0i32;
    let options = if how == Wait::Poll { raw::WNOHANG as usize } else { 0 };
    // SAFETY: the kernel writes the status and nothing else.
    let got = unsafe { syscall(raw::__NR_wait4, [pid as usize, &raw mut status as usize, options, 0]) }?;
    if got == 0 {
        return Ok(None);
    }
    let ended = match status & 0x7f {
        0 => Ended::Exited((status >> 8) & 0xff),
        signal => Ended::Killed(signal),
    };
    Ok(Some((got as Pid, ended)))
}

/// Waits until child `pid` has ended.
pub fn wait_for(pid: Pid) -> Result<Ended, Errno> {
    match wait(pid, Wait::Blocking)? {
        Some((_, ended)) => Ok(ended),
        None => Err(Errno::ECHILD),
    }
}

/// This process.
pub fn getpid() -> Pid {
    // SAFETY: the call takes no memory.
    unsafe { syscall(raw::__NR_getpid, []) }.unwrap_or(0) as Pid
}

/// Its parent.
pub fn getppid() -> Pid {
    // SAFETY: as above.
    unsafe { syscall(raw::__NR_getppid, []) }.unwrap_or(0) as Pid
}

/// Sets the personality, unless `value` has all bits set; returns the one before.
pub fn personality(value: u32) -> Result<u32, Errno> {
    // SAFETY: the call takes no memory.
    unsafe { syscall(raw::__NR_personality, [value as usize]) }.map(|old| old as u32)
}

/// Sends a signal to a process, or as kill(2) says.
pub fn kill(pid: Pid, signal: i32) -> Result<(), Errno> {
    // SAFETY: the call takes no memory.
    unsafe { syscall(raw::__NR_kill, [pid as usize, signal as usize]) }.map(drop)
}

/// Writes the working directory into `buffer` and returns it.
pub fn working_directory(buffer: &mut [u8]) -> Result<&CStr, Errno> {
    // SAFETY: the kernel writes no more than the buffer's length.
    unsafe { syscall(raw::__NR_getcwd, [buffer.as_mut_ptr() as usize, buffer.len()]) }?;
    CStr::from_bytes_until_nul(buffer).map_err(|_| Errno::ERANGE)
}
