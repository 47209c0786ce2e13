//! `sh`: the shell. The crate `sh` knows its language; here is what it does to processes, descriptors
//! and files.
//!
//! ```text
//! sh [-eux] [-c TEXT [NAME [ARGUMENT...]]]
//! sh [-eux] [FILE [ARGUMENT...]]
//! ```
//!
//! Without a text or a file it reads commands from its input, with a prompt if that is a terminal. In
//! reading order: `source` gives text, `run` walks the syntax tree, `command` runs one command, which is
//! a builtin, a function, or a `program`; `process` makes the processes.
#![no_std]
#![no_main]

extern crate alloc;

mod builtins;
mod command;
mod condition;
mod jobs;
mod process;
mod program;
mod redirect;
mod run;
mod shell;
mod source;
mod traps;
mod variables;

use alloc::vec::Vec;
use shell::{Shell, USAGE};

rt::main!(main);

#[global_allocator]
static HEAP: rt::heap::Heap = rt::heap::Heap::new();

fn main(args: rt::Args) -> i32 {
    let mut shell = Shell::new(args.environment());
    shell.status = run(&mut shell, args);
    traps::run_exit(&mut shell);
    shell.status
}

fn run(shell: &mut Shell, args: rt::Args) -> i32 {
    let mut words = args.from(0).map(|word| word.to_bytes().to_vec());
    shell.name = words.next().unwrap_or_else(|| b"sh".to_vec());
    let mut words: Vec<_> = words.collect();
    let mut text = false;
    while let Some(word) = words.first() {
        let Some(letters) = word.strip_prefix(b"-").filter(|letters| !letters.is_empty()) else { break };
        if letters == b"-" {
            words.remove(0);
            break;
        }
        text |= letters.contains(&b'c');
        let others: Vec<u8> = letters.iter().copied().filter(|letter| !b"cs".contains(letter)).collect();
        if !shell.options.set(&others, true) {
            shell::report(format_args!("-{}: not an option", rt::io::Text(&others)));
            return USAGE;
        }
        words.remove(0);
    }
    if text {
        if words.is_empty() {
            shell::report(format_args!("-c: the text is missing"));
            return USAGE;
        }
        let text = words.remove(0);
        shell.take_arguments(words);
        return source::run_text(shell, &text, source::Then::Exit);
    }
    if words.is_empty() {
        return source::run_input(shell);
    }
    shell.take_arguments(words);
    match source::read_file(&shell.name) {
        Ok(text) => source::run_text(shell, &text, source::Then::Exit),
        Err(errno) => {
            shell::report(format_args!("{}: {}", rt::io::Text(&shell.name), rt::io::Reason(errno)));
            program::status_of(errno)
        }
    }
}
