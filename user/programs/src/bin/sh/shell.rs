//! The state of the shell, and what the language asks of it.

use crate::jobs::Jobs;
use crate::process;
use crate::traps::Traps;
use crate::variables::Variables;
use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt;
use core::mem::MaybeUninit;
use rt::rustix::fs::{self, Mode, OFlags, RawDir};
use sh::expand::{Environment, Failure, Unset};
use sh::syntax::{Command, List, Special};

/// The status of a wrong call and of a text that is no command.
pub const USAGE: i32 = 2;

/// All that a shell knows.
pub struct Shell {
    /// Its variables.
    pub variables: Variables,
    /// Its functions.
    pub functions: BTreeMap<Vec<u8>, Rc<Command>>,
    /// `$0`
    pub name: Vec<u8>,
    /// `$1` and so on.
    pub arguments: Vec<Vec<u8>>,
    /// `$?`
    pub status: i32,
    /// What `set` changes.
    pub options: Options,
    /// Processes in the background.
    pub jobs: Jobs,
    /// What signals do.
    pub traps: Traps,
    /// How many loops the running command is in.
    pub loops: usize,
    /// How many functions and files the running command is in.
    pub calls: usize,
    /// How many commands the running command is in.
    pub depth: usize,
    /// How many conditions the running command is in: there a failure is an answer.
    pub conditions: usize,
    /// How the last command substitution of the running command ended.
    pub substituted: Option<i32>,
    /// How many copies of descriptors are kept to be put back.
    pub kept: i32,
    pid: i32,
}

/// Switches.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// `-e`: a failure ends the shell.
    pub exit_on_error: bool,
    /// `-u`: a parameter without a value is an error.
    pub unset_is_error: bool,
    /// `-x`: commands are shown before they run.
    pub trace: bool,
    /// `-i`: there is somebody at a terminal.
    pub interactive: bool,
}

impl Options {
    /// Switches by letters; `false` if one is unknown.
    pub fn set(&mut self, letters: &[u8], on: bool) -> bool {
        letters.iter().all(|letter| {
            let option = match letter {
                b'e' => &mut self.exit_on_error,
                b'u' => &mut self.unset_is_error,
                b'x' => &mut self.trace,
                b'i' => &mut self.interactive,
                _ => return false,
            };
            *option = on;
            true
        })
    }
}

impl Shell {
    /// A shell with the variables of `environment`.
    pub fn new(environment: impl Iterator<Item = &'static CStr>) -> Shell {
        Shell {
            variables: Variables::new(environment),
            functions: BTreeMap::new(),
            name: Vec::new(),
            arguments: Vec::new(),
            status: 0,
            options: Options::default(),
            jobs: Jobs::default(),
            traps: Traps::default(),
            loops: 0,
            calls: 0,
            depth: 0,
            conditions: 0,
            substituted: None,
            kept: 0,
            pid: rt::process::getpid(),
        }
    }

    /// Takes `$0` and the rest from the words of a command line; no words change nothing.
    pub fn take_arguments(&mut self, mut words: Vec<Vec<u8>>) {
        if !words.is_empty() {
            self.name = words.remove(0);
            self.arguments = words;
        }
    }

    /// Says what is wrong and sets the status.
    pub fn fail(&mut self, status: i32, what: fmt::Arguments<'_>) {
        report(what);
        self.status = status;
    }
}

/// Prints a message under the shell's name.
pub fn report(what: fmt::Arguments<'_>) {
    rt::eprintln!("sh: {what}");
}

/// Bytes as the kernel wants strings; what follows a zero byte is lost, as names have none.
pub fn c_string(bytes: &[u8]) -> CString {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

impl Environment for Shell {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.variables.get(name).map(Vec::from)
    }

    fn assign(&mut self, name: &[u8], value: &[u8]) -> Result<(), Failure> {
        self.variables.set(name, value)
    }

    fn arguments(&self) -> &[Vec<u8>] {
        &self.arguments
    }

    fn special(&self, special: Special) -> Option<Vec<u8>> {
        let number = match special {
            Special::Status => self.status,
            Special::Process => self.pid,
            Special::Background => self.jobs.last()?,
            Special::Shell => return Some(self.name.clone()),
            Special::Options => {
                let options = self.options;
                let all = [
                    (options.exit_on_error, b'e'),
                    (options.unset_is_error, b'u'),
                    (options.trace, b'x'),
                    (options.interactive, b'i'),
                ];
                return Some(all.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect());
            }
            Special::Each | Special::All | Special::Count => return None,
        };
        Some(alloc::format!("{number}").into_bytes())
    }

    fn unset(&self) -> Unset {
        if self.options.unset_is_error { Unset::Fails } else { Unset::Empty }
    }

    fn output(&mut self, list: &List) -> Result<Vec<u8>, Failure> {
        process::output(self, list)
    }

    fn entries(&mut self, directory: &[u8]) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(directory) = fs::open(c_string(directory).as_c_str(), flags, Mode::empty()) else {
            return names;
        };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut entries = RawDir::new(&directory, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                names.push(entry.file_name().to_bytes().to_vec());
            }
        }
        names
    }

    fn exists(&mut self, path: &[u8]) -> bool {
        fs::lstat(c_string(path).as_c_str()).is_ok()
    }
}
