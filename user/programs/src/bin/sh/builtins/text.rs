//! Builtins that print and read.

use crate::command::misuse;
use crate::run::Flow;
use crate::shell::Shell;
use alloc::vec::Vec;
use rt::rustix::io::{Errno, read as read_bytes};
use sh::syntax::is_name;

/// `:` and `true`
pub fn succeed(shell: &mut Shell, _: &[Vec<u8>]) -> Flow {
    shell.status = 0;
    Flow::Next
}

/// `false`
pub fn fail(shell: &mut Shell, _: &[Vec<u8>]) -> Flow {
    shell.status = 1;
    Flow::Next
}

/// `echo [-n] [WORD...]`
pub fn echo(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let (words, end): (_, &[u8]) = match words.get(1) {
        Some(option) if option == b"-n" => (&words[2..], b""),
        _ => (&words[1..], b"\n"),
    };
    let mut text = words.join(&b' ');
    text.extend(end);
    shell.status = i32::from(write(&text).is_err());
    Flow::Next
}

fn write(mut text: &[u8]) -> Result<(), Errno> {
    while !text.is_empty() {
        match rt::rustix::io::write(rt::io::fd(rt::io::STDOUT), text) {
            Ok(len) => text = &text[len..],
            Err(Errno::INTR) => {}
            Err(errno) => {
                crate::shell::report(format_args!("echo: {}", rt::io::Reason(rt::sys::errno(errno))));
                return Err(errno);
            }
        }
    }
    Ok(())
}

/// `read [-r] NAME...`: a line, in fields.
pub fn read(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let raw = words.get(1).is_some_and(|word| word == b"-r");
    let names = &words[1 + usize::from(raw)..];
    if names.is_empty() || !names.iter().all(|name| is_name(name)) {
        return misuse(shell, words, "not a name");
    }
    let (line, ended) = line(raw);
    let separators = shell.variables.get(b"IFS").unwrap_or(b" \t\n").to_vec();
    let mut rest = &line[..];
    shell.status = i32::from(ended);
    for (index, name) in names.iter().enumerate() {
        let value = if index + 1 == names.len() {
            last_field(rest, &separators)
        } else {
            field(&mut rest, &separators)
        };
        let value: Vec<u8> = value.iter().map(|(byte, _)| *byte).collect();
        if let Err(failure) = shell.variables.set(name, &value) {
            shell.fail(2, format_args!("{}", failure.0));
        }
    }
    Flow::Next
}

/// A byte, and whether a backslash stood before it.
type Marked = (u8, bool);

/// A line of the input without its end, and whether the input ended before it.
fn line(raw: bool) -> (Vec<Marked>, bool) {
    let mut line = Vec::new();
    let mut escaped = false;
    loop {
        let mut byte = [0];
        match read_bytes(rt::io::fd(0), &mut byte) {
            Ok(0) => return (line, true),
            Err(Errno::INTR) => {}
            Err(_) => return (line, true),
            Ok(_) if escaped => {
                escaped = false;
                if byte[0] != b'\n' {
                    line.push((byte[0], true));
                }
            }
            Ok(_) => match byte[0] {
                b'\n' => return (line, false),
                b'\\' if !raw => escaped = true,
                0 => {}
                byte => line.push((byte, false)),
            },
        }
    }
}

fn is_white(marked: &Marked, separators: &[u8]) -> bool {
    !marked.1 && matches!(marked.0, b' ' | b'\t' | b'\n') && separators.contains(&marked.0)
}

fn is_separator(marked: &Marked, separators: &[u8]) -> bool {
    !marked.1 && separators.contains(&marked.0)
}

fn skip_white(text: &[Marked], separators: &[u8]) -> usize {
    text.iter().take_while(|marked| is_white(marked, separators)).count()
}

/// Takes the first field and what separates it from the rest.
fn field<'a>(rest: &mut &'a [Marked], separators: &[u8]) -> &'a [Marked] {
    let text = &rest[skip_white(rest, separators)..];
    let len = text.iter().take_while(|marked| !is_separator(marked, separators)).count();
    let mut after = &text[len..];
    after = &after[skip_white(after, separators)..];
    if after.first().is_some_and(|marked| is_separator(marked, separators)) {
        after = &after[1..];
        after = &after[skip_white(after, separators)..];
    }
    *rest = after;
    &text[..len]
}

/// All that is left, without white space at its ends. One separator at its end belongs to the field.
fn last_field<'a>(text: &'a [Marked], separators: &[u8]) -> &'a [Marked] {
    let text = &text[skip_white(text, separators)..];
    let mut rest = text;
    let only = field(&mut rest, separators);
    if rest.is_empty() {
        return only;
    }
    let end = text.iter().rev().take_while(|marked| is_white(marked, separators)).count();
    &text[..text.len() - end]
}
