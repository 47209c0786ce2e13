//! Builtins for processes.

use crate::command::misuse;
use crate::run::Flow;
use crate::shell::Shell;
use alloc::vec::Vec;
use rt::io::{Reason, Text};
use rt::process::{self, Pid};

/// Names of signals by number, from 1.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
const SIGTERM: i32 = 15;

/// `jobs`
pub fn jobs(shell: &mut Shell, _: &[Vec<u8>]) -> Flow {
    shell.jobs.report(|number, pid, ended| match ended {
        None => rt::println!("[{number}] {pid} running"),
        Some(ended) => rt::println!("[{number}] {pid} done, {ended}"),
    });
    shell.status = 0;
    Flow::Next
}

/// `wait [PROCESS...]`
pub fn wait(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    shell.status = 0;
    if words.len() == 1 {
        for pid in shell.jobs.pids() {
            shell.jobs.wait(pid);
        }
    }
    for word in &words[1..] {
        let Some(pid) = process_number(shell, word) else { return misuse(shell, words, "not a process") };
        shell.status = shell.jobs.wait(pid).map_or(127, |ended| ended.status());
    }
    Flow::Next
}

/// `kill [-SIGNAL] PROCESS...`, `kill -l`
pub fn kill(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut rest = &words[1..];
    let mut signal = SIGTERM;
    if let Some(option) = rest.first().and_then(|word| word.strip_prefix(b"-")) {
        rest = &rest[1..];
        let mut name = option;
        if option == b"l" {
            rt::println!("{}", Text(SIGNALS.join(" ").as_bytes()));
            shell.status = 0;
            return Flow::Next;
        }
        if option == b"s" {
            name = rest.first().map_or(b"", |word| word);
            rest = rest.get(1..).unwrap_or_default();
        }
        match signal_number(name) {
            Some(number) => signal = number,
            None => return misuse(shell, words, "not a signal"),
        }
    }
    if rest.is_empty() {
        return misuse(shell, words, "a process is missing");
    }
    shell.status = 0;
    for word in rest {
        let Some(pid) = process_number(shell, word) else { return misuse(shell, words, "not a process") };
        if let Err(errno) = process::kill(pid, signal) {
            shell.fail(1, format_args!("kill: {pid}: {}", Reason(errno)));
        }
    }
    Flow::Next
}

fn signal_number(name: &[u8]) -> Option<i32> {
    let name = core::str::from_utf8(name).ok()?;
    if let Ok(number) = name.parse() {
        return (0..=64).contains(&number).then_some(number);
    }
    let name = name.strip_prefix("SIG").unwrap_or(name);
    SIGNALS.iter().position(|known| *known == name).map(|index| index as i32 + 1)
}

/// A process by its number, or a job as `%1`.
fn process_number(shell: &Shell, word: &[u8]) -> Option<Pid> {
    let text = core::str::from_utf8(word).ok()?;
    match text.strip_prefix('%') {
        Some(number) => shell.jobs.number(number.parse().ok()?),
        None => text.parse().ok(),
    }
}
