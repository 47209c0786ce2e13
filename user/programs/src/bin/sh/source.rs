//! Where commands come from: a text, a file, the input.

use crate::run::{self, After, Flow};
use crate::shell::{Shell, USAGE, c_string, report};
use crate::traps;
use alloc::vec::Vec;
use rt::rustix::fs::{self, Mode, OFlags};
use rt::rustix::io::{Errno as ReadErrno, read};
use rt::sys::Errno;
use sh::expand::Environment;
use sh::parser::{Parser, Text};

/// What comes after a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: the shell ends, so its last command need not be a process of its own.
    Exit,
    /// The shell goes on.
    Return,
}

/// Runs the commands of a text and returns the status of the last.
pub fn run_text(shell: &mut Shell, text: &[u8], then: Then) -> i32 {
    run_lines(shell, text, then);
    shell.status
}

/// The same, and how it ended.
pub fn run_lines(shell: &mut Shell, text: &[u8], then: Then) -> Flow {
    let mut parser = Parser::new(text, Text::Whole);
    loop {
        let list = match parser.next_line() {
            Ok(Some(list)) => list,
            Ok(None) => return Flow::Next,
            Err(error) => {
                shell.fail(USAGE, format_args!("{error}"));
                return Flow::Abandon;
            }
        };
        let last = then == Then::Exit && parser.is_done();
        match run::list(shell, &list, if last { After::Exit } else { After::Return }) {
            Flow::Next => {}
            flow => return flow,
        }
    }
}

/// Runs what the input says, and returns the status of the last command.
pub fn run_input(shell: &mut Shell) -> i32 {
    shell.options.interactive |= rt::descriptor::is_terminal(0) && rt::descriptor::is_terminal(2);
    if shell.options.interactive {
        traps::start_interactive();
    }
    loop {
        let flow = match read_commands(shell) {
            Commands::Ended => break,
            Commands::Wrong => Flow::Abandon,
            Commands::Are(list) => run::list(shell, &list, After::Return),
        };
        match flow {
            Flow::Exit => break,
            Flow::Abandon if !shell.options.interactive => break,
            _ => {}
        }
    }
    shell.status
}

/// What the input had.
enum Commands {
    Are(sh::syntax::List),
    /// No command; that was said.
    Wrong,
    Ended,
}

/// Reads as many lines as belong together.
fn read_commands(shell: &mut Shell) -> Commands {
    let mut text = Vec::new();
    loop {
        prompt(shell, text.is_empty());
        let more = match read_line(&mut text) {
            Line::Read => true,
            Line::Ended => false,
            Line::Interrupted => {
                if traps::run_pending(shell) == Flow::Abandon {
                    return Commands::Wrong;
                }
                continue;
            }
        };
        let kind = if more { Text::Growing } else { Text::Whole };
        match Parser::new(&text, kind).next_line() {
            Ok(Some(list)) => return Commands::Are(list),
            Ok(None) if more => text.clear(),
            Ok(None) => {
                if shell.options.interactive {
                    rt::eprintln!("");
                }
                return Commands::Ended;
            }
            Err(error) if error.is_unfinished() && more => {}
            Err(error) => {
                shell.fail(USAGE, format_args!("{error}"));
                return Commands::Wrong;
            }
        }
    }
}

/// Asks for a line, or for more of the same.
fn prompt(shell: &mut Shell, first: bool) {
    if !shell.options.interactive {
        return;
    }
    let (name, default): (&[u8], &[u8]) = if first { (b"PS1", b"# ") } else { (b"PS2", b"> ") };
    if first {
        report_jobs(shell);
    }
    let prompt = shell.variable(name).unwrap_or(default.to_vec());
    rt::io::write_all(rt::io::STDERR, &prompt);
}

/// Says which jobs have ended.
fn report_jobs(shell: &mut Shell) {
    shell.jobs.report(|number, pid, ended| {
        if let Some(ended) = ended {
            rt::eprintln!("[{number}] {pid} done, {ended}");
        }
    });
}

/// How reading a line ended.
enum Line {
    Read,
    /// The input has ended.
    Ended,
    /// A signal came.
    Interrupted,
}

/// Appends a line with its end. One byte at a time: what follows the
/// line may be for the commands in it.
fn read_line(text: &mut Vec<u8>) -> Line {
    loop {
        let mut byte = [0];
        match read(rt::io::fd(0), &mut byte) {
            Ok(0) => return Line::Ended,
            Ok(_) => {
                text.push(byte[0]);
                if byte[0] == b'\n' {
                    return Line::Read;
                }
            }
            Err(ReadErrno::INTR) => return Line::Interrupted,
            Err(errno) => {
                report(format_args!("input: {}", rt::io::Reason(rt::sys::errno(errno))));
                return Line::Ended;
            }
        }
    }
}

/// All bytes of a file.
pub fn read_file(path: &[u8]) -> Result<Vec<u8>, Errno> {
    let file = fs::open(c_string(path).as_c_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(rt::sys::errno)?;
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match read(&file, &mut buffer).map_err(rt::sys::errno)? {
            0 => return Ok(text),
            len => text.extend_from_slice(&buffer[..len]),
        }
    }
}
