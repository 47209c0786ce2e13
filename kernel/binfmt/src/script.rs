//! `#!` scripts, Linux's `fs/binfmt_script.c`: the first line names the interpreter and at most one
//! argument for it. `execve` calls this before it looks for an ELF header.

use crate::read_at::BINPRM_BUF_SIZE;
use abi::Errno;

/// How often one script may name another as its interpreter before `execve` says ELOOP.
pub const MAX_DEPTH: usize = 5;

/// What the first line of a script asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script<'a> {
    /// Path of the interpreter. May be empty (`#!` and a NUL), which opening it refuses with ENOENT.
    pub interpreter: &'a [u8],
    /// Everything after the interpreter as one argument, without the spaces around it.
    pub argument: Option<&'a [u8]>,
}

/// Parses the beginning of a file, as [`crate::read_prefix`] gives it. `None`: not a script.
///
/// ENOEXEC: a `#!` without an interpreter, or one so long that its path may be cut. An argument may be
/// cut, as the interpreter can read the line by itself.
pub fn parse(prefix: &[u8; BINPRM_BUF_SIZE]) -> Result<Option<Script<'_>>, Errno> {
    let Some(rest) = prefix.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let line = match rest.iter().position(|&byte| byte == b'\n' || byte == 0) {
        Some(end) if rest[end] == b'\n' => &rest[..end],
        // No newline in the prefix. The last byte is never part of the line: Linux puts its NUL there.
        _ => {
            let start = rest.iter().position(|byte| !is_blank(byte)).ok_or(Errno::ENOEXEC)?;
            rest[start..].iter().position(is_terminator).ok_or(Errno::ENOEXEC)?;
            &rest[..rest.len() - 1]
        }
    };
    let line = trim_end(line);
    let start = line.iter().position(|byte| !is_blank(byte)).ok_or(Errno::ENOEXEC)?;
    let line = &line[start..];
    let Some(end) = line.iter().position(is_terminator) else {
        return Ok(Some(Script { interpreter: line, argument: None }));
    };
    let (interpreter, rest) = line.split_at(end);
    let argument = match rest.iter().position(|byte| !is_blank(byte)) {
        Some(start) if rest[0] != 0 => Some(until_nul(&rest[start..])),
        _ => None,
    };
    Ok(Some(Script { interpreter, argument }))
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_terminator(byte: &u8) -> bool {
    is_blank(byte) || *byte == 0
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or(bytes)
}

/// Without the spaces and tabs at its end (the standard library's trim takes more kinds of space).
fn trim_end(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|byte| !is_blank(byte)).map_or(0, |last| last + 1);
    &bytes[..len]
}
