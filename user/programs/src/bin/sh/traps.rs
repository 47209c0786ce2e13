//! What the shell does when signals come: `trap`, and the keys of a terminal.

use crate::run::Flow;
use crate::shell::Shell;
use crate::source::{self, Then};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use rt::signal;
use rt::sys::signal::Signal;

/// In place of a signal's number: the end of the shell.
pub const EXIT: u32 = 0;

/// Actions by signal number. An empty one ignores.
#[derive(Default)]
pub struct Traps {
    actions: BTreeMap<u32, Vec<u8>>,
}

/// What somebody types at a terminal who means another program.
const KEYS: [Signal; 3] = [Signal::SIGQUIT, Signal::SIGTSTP, Signal::SIGTERM];

/// At a terminal the shell outlives what ends its commands.
pub fn start_interactive() {
    // None of these is refused.
    let _ = signal::catch(Signal::SIGINT);
    for key in KEYS {
        let _ = signal::ignore(key);
    }
}

impl Traps {
    /// Whether nothing is trapped.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// All actions, by number.
    pub fn all(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.actions.iter().map(|(number, action)| (*number, &action[..]))
    }

    /// Sets the action of a signal, or takes it away; `false` if it can't be.
    pub fn set(&mut self, number: u32, action: Option<&[u8]>, interactive: bool) -> bool {
        if let Some(signal) = Signal::new(number.into()) {
            let done = match action {
                None if interactive && signal == Signal::SIGINT => signal::catch(signal),
                None if interactive && KEYS.contains(&signal) => signal::ignore(signal),
                None => {
                    signal::default(signal);
                    Ok(0)
                }
                Some(b"") => signal::ignore(signal),
                Some(_) => signal::catch(signal),
            };
            if done.is_err() {
                return false;
            }
        }
        match action {
            Some(action) => drop(self.actions.insert(number, action.to_vec())),
            None => drop(self.actions.remove(&number)),
        }
        true
    }

    /// In a new process: what is caught is caught no more, what is ignored stays so.
    fn reset(&mut self) {
        for (number, _) in self.actions.extract_if(.., |_, action| !action.is_empty()) {
            if let Some(signal) = Signal::new(number.into()) {
                signal::default(signal);
            }
        }
    }

    /// The trapped signal that came, if one did.
    pub fn pending(&self) -> Option<u32> {
        let caught = signal::caught();
        let is_pending =
            |number: &&u32| Signal::new(u64::from(**number)).is_some_and(|signal| caught.contains(signal));
        self.actions.keys().find(is_pending).copied()
    }
}

/// In a new process of the shell: the traps and the terminal's keys are as by default.
pub fn in_child(shell: &mut Shell) {
    shell.traps.reset();
    if shell.options.interactive {
        for key in KEYS.into_iter().chain([Signal::SIGINT]) {
            if !shell.traps.actions.contains_key(&key.number()) {
                signal::default(key);
            }
        }
    }
}

/// Runs the actions of signals that came. An interrupt that nobody traps ends what is typed at a terminal.
pub fn run_pending(shell: &mut Shell) -> Flow {
    while let Some(number) = shell.traps.pending() {
        let action = shell.traps.actions.get(&number).cloned().unwrap_or_default();
        Signal::new(number.into()).map(signal::take);
        let status = shell.status;
        let flow = source::run_lines(shell, &action, Then::Return);
        if flow != Flow::Next {
            return flow;
        }
        shell.status = status;
    }
    if shell.options.interactive && signal::take(Signal::SIGINT) {
        shell.status = 128 + Signal::SIGINT.number() as i32;
        // The key was shown; the prompt gets a line of its own.
        rt::eprintln!("");
        return Flow::Abandon;
    }
    Flow::Next
}

/// The action for the shell's end.
pub fn run_exit(shell: &mut Shell) {
    let Some(action) = shell.traps.actions.remove(&EXIT) else { return };
    let status = shell.status;
    if source::run_lines(shell, &action, Then::Return) != Flow::Exit {
        shell.status = status;
    }
}
