//! The processes that a shell makes: for programs, pipelines, subshells, command substitutions.

use crate::command;
use crate::run::{self, After};
use crate::shell::{Shell, report};
use crate::traps;
use alloc::vec::Vec;
use rt::descriptor;
use rt::io::{self, Reason};
use rt::process::{self, Ended, Fork, Pid, Wait};
use rt::sys::Errno;
use sh::expand::Failure;
use sh::syntax::{Command, List};

/// The status when no process or pipe can be had.
const CANNOT: i32 = 2;

/// Runs `work` in a copy of this shell, which ends with the status that it leaves.
pub fn fork(shell: &mut Shell, work: impl FnOnce(&mut Shell)) -> Result<Pid, Errno> {
    match process::fork()? {
        Fork::Parent(pid) => Ok(pid),
        Fork::Child => {
            shell.jobs.clear();
            traps::in_child(shell);
            shell.options.interactive = false;
            work(shell);
            process::exit(shell.status)
        }
    }
}

/// Forks and waits. The status is the child's.
pub fn run(shell: &mut Shell, work: impl FnOnce(&mut Shell)) {
    match fork(shell, work) {
        Ok(pid) => shell.status = finish(pid),
        Err(errno) => shell.fail(CANNOT, format_args!("fork: {}", Reason(errno))),
    }
}

/// Waits for a child; `None` if it is none.
pub fn wait_for(pid: Pid) -> Option<Ended> {
    loop {
        match process::wait(pid, Wait::Blocking) {
            Ok(Some((_, ended))) => return Some(ended),
            Err(Errno::EINTR) => {}
            _ => return None,
        }
    }
}

/// Waits for a child, says which signal killed it, and returns its status.
fn finish(pid: Pid) -> i32 {
    const SIGINT: i32 = 2;
    const SIGPIPE: i32 = 13;
    let Some(ended) = wait_for(pid) else { return 127 };
    if let Ended::Killed(signal) = ended
        && signal != SIGPIPE
        && signal != SIGINT
    {
        match signal_text(signal) {
            Some(text) => rt::eprintln!("{text}"),
            None => rt::eprintln!("Signal {signal}"),
        }
    }
    ended.status()
}

fn signal_text(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "Hangup",
        3 => "Quit",
        4 => "Illegal instruction",
        5 => "Trace/breakpoint trap",
        6 => "Aborted",
        7 => "Bus error",
        8 => "Floating point exception",
        9 => "Killed",
        11 => "Segmentation fault",
        14 => "Alarm clock",
        15 => "Terminated",
        _ => return None,
    })
}

/// Runs commands side by side, each with its output in the next one's input. The status is the last
/// one's.
pub fn pipeline(shell: &mut Shell, commands: &[Command]) {
    let mut pids = Vec::new();
    let mut input = None;
    for (index, command) in commands.iter().enumerate() {
        let next = if index + 1 == commands.len() { Ok(None) } else { descriptor::pipe().map(Some) };
        let started = next.and_then(|next| {
            let pid = fork(shell, |shell| {
                if let Err(errno) = connect(input, next) {
                    return shell.fail(CANNOT, format_args!("pipe: {}", Reason(errno)));
                }
                command::run(shell, command, After::Exit);
            });
            Ok((pid?, next))
        });
        if let Some(input) = input.take() {
            descriptor::close(input);
        }
        match started {
            Ok((pid, next)) => {
                pids.push(pid);
                input = next.map(|(reader, writer)| {
                    descriptor::close(writer);
                    reader
                });
            }
            Err(errno) => {
                report(format_args!("pipe: {}", Reason(errno)));
                for pid in pids {
                    wait_for(pid);
                }
                shell.status = CANNOT;
                return;
            }
        }
    }
    for pid in pids {
        shell.status = finish(pid);
    }
}

/// In a member of a pipeline: takes its ends.
fn connect(input: Option<i32>, output: Option<(i32, i32)>) -> Result<(), Errno> {
    if let Some(input) = input {
        descriptor::rename(input, 0)?;
    }
    if let Some((reader, writer)) = output {
        descriptor::close(reader);
        descriptor::rename(writer, 1)?;
    }
    Ok(())
}

/// Runs commands in a process of their own and returns what they print.
pub fn output(shell: &mut Shell, list: &List) -> Result<Vec<u8>, Failure> {
    let failure = |errno| Failure(alloc::format!("command substitution: {}", Reason(errno)));
    let (reader, writer) = descriptor::pipe().map_err(failure)?;
    let pid = fork(shell, |shell| {
        descriptor::close(reader);
        match descriptor::rename(writer, 1) {
            Ok(()) => {
                run::list(shell, list, After::Exit);
            }
            Err(errno) => shell.fail(CANNOT, format_args!("pipe: {}", Reason(errno))),
        }
    });
    descriptor::close(writer);
    let mut output = Vec::new();
    if pid.is_ok() {
        read_all(reader, &mut output);
    }
    descriptor::close(reader);
    shell.substituted = Some(finish(pid.map_err(failure)?));
    // Variables and arguments can't hold zero bytes.
    output.retain(|byte| *byte != 0);
    Ok(output)
}

/// Reads up to the end; an error ends it, too.
fn read_all(from: i32, into: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    loop {
        match rt::rustix::io::read(io::fd(from), &mut buffer) {
            Ok(0) => return,
            Ok(len) => into.extend_from_slice(&buffer[..len]),
            Err(rt::rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// A descriptor from which `text` can be read.
pub fn reader_of(shell: &mut Shell, text: &[u8]) -> Result<i32, Errno> {
    /// What every pipe takes without a reader.
    const FITS: usize = 4096;
    let (reader, writer) = descriptor::pipe()?;
    if text.len() <= FITS {
        io::write_all(writer, text);
    } else {
        // Nobody waits for it: a reader that stops early ends it.
        let started = fork(shell, |shell| {
            descriptor::close(reader);
            io::write_all(writer, text);
            shell.status = 0;
        });
        if let Err(errno) = started {
            descriptor::close(reader);
            descriptor::close(writer);
            return Err(errno);
        }
    }
    descriptor::close(writer);
    Ok(reader)
}
