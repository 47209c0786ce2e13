//! Builtins for processes.

use crate::command::misuse;
use crate::run::Flow;
use crate::shell::Shell;
use crate::traps;
use alloc::vec::Vec;
use rt::io::{Reason, Text};
use rt::process::{self, Pid};
use rt::sys::Errno;

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
            if shell.jobs.wait(pid) == Err(Errno::EINTR) {
                return interrupted(shell);
            }
        }
    }
    for word in &words[1..] {
        let Some(pid) = process_number(shell, word) else { return misuse(shell, words, "not a process") };
        shell.status = match shell.jobs.wait(pid) {
            Ok(ended) => ended.status(),
            Err(Errno::EINTR) => return interrupted(shell),
            Err(_) => 127,
        };
    }
    Flow::Next
}

/// A signal with a trap, or from the terminal, ended a wait.
fn interrupted(shell: &mut Shell) -> Flow {
    shell.status = 128 + shell.traps.pending().map_or(2, |number| number as i32);
    Flow::Next
}

/// `trap [ACTION|-] SIGNAL...`, `trap`
pub fn trap(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    shell.status = 0;
    if words.len() == 1 {
        for (number, action) in shell.traps.all() {
            let name = signal_name(number);
            rt::println!("trap -- {} {name}", Text(&super::state::quoted(action)));
        }
        return Flow::Next;
    }
    // A first word that is a signal takes actions away, as `-` does.
    let is_number = core::str::from_utf8(&words[1]).is_ok_and(|word| word.parse::<u32>().is_ok());
    let (action, signals) = match &words[1][..] {
        b"-" => (None, &words[2..]),
        _ if is_number => (None, &words[1..]),
        action => (Some(action), &words[2..]),
    };
    for word in signals {
        let number = if word == b"EXIT" { Some(traps::EXIT as i32) } else { signal_number(word) };
        let interactive = shell.options.interactive;
        if !number.is_some_and(|number| shell.traps.set(number as u32, action, interactive)) {
            return misuse(shell, words, "not a signal that can be trapped");
        }
    }
    Flow::Next
}

fn signal_name(number: u32) -> &'static str {
    match number {
        traps::EXIT => "EXIT",
        number => SIGNALS.get(number as usize - 1).copied().unwrap_or("RT"),
    }
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
