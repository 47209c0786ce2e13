//! Builtins that decide what runs next.

use super::find;
use crate::command::{misuse, run_words};
use crate::program;
use crate::run::Flow;
use crate::shell::{Shell, c_string};
use crate::source::{self, Then};
use alloc::vec::Vec;
use rt::io::{Reason, Text};
use rt::rustix::fs;

/// A number that is the only argument, or `default`; `None` if it is something else.
fn number(words: &[Vec<u8>], default: i32) -> Option<i32> {
    match words.get(1) {
        None => Some(default),
        Some(word) => core::str::from_utf8(word).ok()?.parse().ok().filter(|number| *number >= 0),
    }
}

/// `exit [STATUS]`
pub fn exit(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    match number(words, shell.status) {
        Some(status) => shell.status = status & 0xff,
        None => drop(misuse(shell, words, "not a status")),
    }
    Flow::Exit
}

/// `return [STATUS]`
pub fn leave_function(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some(status) = number(words, shell.status) else { return misuse(shell, words, "not a status") };
    shell.status = status & 0xff;
    // Outside of functions it ends the shell, as a file's end does.
    if shell.calls > 0 { Flow::Return } else { Flow::Exit }
}

/// `break [LOOPS]`
pub fn leave_loops(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    loops(shell, words, Flow::Break)
}

/// `continue [LOOPS]`
pub fn next_round(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    loops(shell, words, Flow::Continue)
}

fn loops(shell: &mut Shell, words: &[Vec<u8>], flow: fn(usize) -> Flow) -> Flow {
    let Some(count @ 1..) = number(words, 1) else { return misuse(shell, words, "not a number of loops") };
    shell.status = 0;
    match shell.loops.min(count as usize) {
        0 => Flow::Next,
        count => flow(count),
    }
}

/// `eval [WORD...]`
pub fn eval(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let text = words[1..].join(&b' ');
    shell.status = 0;
    source::run_lines(shell, &text, Then::Return)
}

/// `. FILE [ARGUMENT...]`
pub fn source(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some(name) = words.get(1) else { return misuse(shell, words, "the file is missing") };
    let paths = program::candidates(shell, name);
    let found = paths.iter().find(|path| fs::stat(c_string(path).as_c_str()).is_ok()).unwrap_or(name);
    let text = match source::read_file(found) {
        Ok(text) => text,
        Err(errno) => {
            shell.fail(program::status_of(errno), format_args!(".: {}: {}", Text(name), Reason(errno)));
            return Flow::Abandon;
        }
    };
    shell.status = 0;
    let before = (words.len() > 2).then(|| core::mem::replace(&mut shell.arguments, words[2..].to_vec()));
    shell.calls += 1;
    let flow = source::run_lines(shell, &text, Then::Return);
    shell.calls -= 1;
    if let Some(before) = before {
        shell.arguments = before;
    }
    if flow == Flow::Return { Flow::Next } else { flow }
}

/// `exec [PROGRAM [ARGUMENT...]]`
pub fn exec(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    if words.len() < 2 {
        shell.status = 0;
        return Flow::Next;
    }
    program::become_program(shell, words[1..].to_vec());
    if shell.options.interactive { Flow::Next } else { Flow::Exit }
}

/// `command [-v] NAME [ARGUMENT...]`
pub fn command(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    if words.get(1).is_some_and(|word| word == b"-v") {
        return names(shell, &words[1..], |name, what| match what {
            What::Program(path) => rt::println!("{}", Text(path)),
            _ => rt::println!("{}", Text(name)),
        });
    }
    run_words(shell, &words[1..])
}

/// `type NAME...`
pub fn kind_of(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let flow = names(shell, words, |name, what| match what {
        What::Builtin => rt::println!("{} is a shell builtin", Text(name)),
        What::Function => rt::println!("{} is a shell function", Text(name)),
        What::Program(path) => rt::println!("{} is {}", Text(name), Text(path)),
    });
    if shell.status != 0 {
        crate::shell::report(format_args!("{}: not found", Text(words.last().map_or(b"", |word| word))));
    }
    flow
}

enum What<'a> {
    Builtin,
    Function,
    Program(&'a [u8]),
}

/// Shows what names stand for; the status says whether all stand for something.
fn names(shell: &mut Shell, words: &[Vec<u8>], show: impl Fn(&[u8], What<'_>)) -> Flow {
    shell.status = 0;
    for name in &words[1..] {
        if shell.functions.contains_key(name) {
            show(name, What::Function);
        } else if find(name).is_some() {
            show(name, What::Builtin);
        } else {
            let paths = program::candidates(shell, name);
            match paths.iter().find(|path| fs::stat(c_string(path).as_c_str()).is_ok()) {
                Some(path) => show(name, What::Program(path)),
                None => shell.status = 127,
            }
        }
    }
    Flow::Next
}
