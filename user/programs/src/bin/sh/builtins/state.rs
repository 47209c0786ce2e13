//! Builtins that change the shell: variables, arguments, the working directory.

use crate::command::misuse;
use crate::run::Flow;
use crate::shell::{Shell, c_string};
use alloc::vec::Vec;
use rt::io::{Reason, Text};
use rt::rustix::fs::Mode;
use rt::rustix::process as sys;
use sh::syntax::is_name;

const PATH_MAX: usize = 4096;

/// `export [NAME[=VALUE]...]`
pub fn export(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    if words.len() == 1 || words[1..] == [b"-p".to_vec()] {
        for (name, value, _) in shell.variables.all().filter(|(_, _, exported)| *exported) {
            rt::println!("export {}={}", Text(name), Text(&quoted(value)));
        }
        shell.status = 0;
        return Flow::Next;
    }
    mark(shell, words, |shell, name| shell.variables.export(name))
}

/// `readonly NAME[=VALUE]...`
pub fn readonly(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    mark(shell, words, |shell, name| shell.variables.protect(name))
}

/// Sets variables and marks them.
fn mark(shell: &mut Shell, words: &[Vec<u8>], mark: fn(&mut Shell, &[u8])) -> Flow {
    shell.status = 0;
    for word in &words[1..] {
        let (name, value) = match word.iter().position(|byte| *byte == b'=') {
            Some(equals) => (&word[..equals], Some(&word[equals + 1..])),
            None => (&word[..], None),
        };
        if !is_name(name) {
            misuse(shell, words, "not a name");
            return Flow::Abandon;
        }
        if let Some(value) = value
            && let Err(failure) = shell.variables.set(name, value)
        {
            shell.fail(1, format_args!("{}", failure.0));
            return Flow::Abandon;
        }
        mark(shell, name);
    }
    Flow::Next
}

/// `unset [-v|-f] NAME...`
pub fn unset(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    shell.status = 0;
    let functions = words.get(1).is_some_and(|word| word == b"-f");
    for name in words[1..].iter().filter(|word| !word.starts_with(b"-")) {
        if functions {
            shell.functions.remove(name);
        } else if let Err(failure) = shell.variables.unset(name) {
            shell.fail(1, format_args!("{}", failure.0));
            return Flow::Abandon;
        }
    }
    Flow::Next
}

/// `set [-eux|+eux] [--] [ARGUMENT...]`
pub fn set(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    shell.status = 0;
    if words.len() == 1 {
        for (name, value, _) in shell.variables.all() {
            rt::println!("{}={}", Text(name), Text(&quoted(value)));
        }
    }
    let mut rest = &words[1..];
    while let Some(word) = rest.first() {
        match &word[..] {
            b"--" => {
                shell.arguments = rest[1..].to_vec();
                return Flow::Next;
            }
            [sign @ (b'-' | b'+'), letters @ ..] if !letters.is_empty() => {
                if !shell.options.set(letters, *sign == b'-') {
                    misuse(shell, words, "not an option");
                    return Flow::Abandon;
                }
                rest = &rest[1..];
            }
            _ => {
                shell.arguments = rest.to_vec();
                break;
            }
        }
    }
    Flow::Next
}

/// `shift [COUNT]`
pub fn shift(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let count = words.get(1).map_or(Some(1), |word| core::str::from_utf8(word).ok()?.parse().ok());
    match count {
        Some(count) if count <= shell.arguments.len() => {
            shell.arguments.drain(..count);
            shell.status = 0;
            Flow::Next
        }
        _ => {
            misuse(shell, words, "can't shift that many");
            Flow::Abandon
        }
    }
}

/// `cd [DIRECTORY]`
pub fn cd(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let target = match words.get(1).map(|word| &word[..]) {
        None => shell.variables.get(b"HOME"),
        Some(b"-") => shell.variables.get(b"OLDPWD"),
        Some(target) => Some(target),
    };
    let Some(target) = target.map(Vec::from) else {
        return misuse(shell, words, "there is no such directory set");
    };
    let before = working_directory();
    if let Err(errno) = sys::chdir(c_string(&target).as_c_str()) {
        shell.fail(2, format_args!("cd: can't cd to {}: {}", Text(&target), Reason(rt::sys::errno(errno))));
        return Flow::Next;
    }
    shell.status = 0;
    if words.get(1).is_some_and(|word| word == b"-") {
        rt::println!("{}", Text(&target));
    }
    for (name, value) in [(b"OLDPWD" as &[u8], before), (b"PWD", working_directory())] {
        if let Some(value) = value
            && let Err(failure) = shell.variables.set(name, &value)
        {
            shell.fail(1, format_args!("{}", failure.0));
        }
    }
    Flow::Next
}

/// `pwd`
pub fn pwd(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    match working_directory() {
        Some(directory) => {
            rt::println!("{}", Text(&directory));
            shell.status = 0;
            Flow::Next
        }
        None => misuse(shell, words, "the working directory has no name"),
    }
}

fn working_directory() -> Option<Vec<u8>> {
    let mut buffer = [0; PATH_MAX];
    rt::process::working_directory(&mut buffer).ok().map(|path| path.to_bytes().to_vec())
}

/// `umask [MODE]`
pub fn umask(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    shell.status = 0;
    match words.get(1) {
        None => {
            let mask = sys::umask(Mode::empty());
            sys::umask(mask);
            rt::println!("{:04o}", mask.bits());
        }
        Some(word) => {
            let mask = core::str::from_utf8(word).ok().and_then(|text| u32::from_str_radix(text, 8).ok());
            let Some(mask) = mask.filter(|mask| *mask <= 0o777) else {
                return misuse(shell, words, "not a mode");
            };
            sys::umask(Mode::from_bits_retain(mask));
        }
    }
    Flow::Next
}

/// A value as it can be typed in.
pub fn quoted(value: &[u8]) -> Vec<u8> {
    let mut text = b"'".to_vec();
    for byte in value {
        match byte {
            b'\'' => text.extend(b"'\\''"),
            byte => text.push(*byte),
        }
    }
    text.push(b'\'');
    text
}
