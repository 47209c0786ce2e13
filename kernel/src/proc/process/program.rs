//! What a process was started with: `cmdline`, `environ`, `auxv`, `comm`. The first two lie in the memory of the program,
//! which may change them, and are read from there.

use super::Process;
use crate::task::user_mm::UserMm;
use abi::Errno;
use alloc::vec::Vec;
use core::ops::Range;
use fs::pseudo::Text;

/// Bytes read at a time.
const PIECE: usize = 4096;

/// `/proc/PID/cmdline`: the arguments, each with its NUL (Linux: `get_mm_cmdline`).
pub fn show_cmdline(process: &Process, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
    let Some(mm) = process.task()?.memory() else { return Ok(None) };
    let layout = mm.lock().layout;
    let mut last = [0];
    let has_last = layout.arg_end > layout.arg_start && mm.read_remote(layout.arg_end - 1, &mut last) == 1;
    if has_last && last[0] != 0 {
        return show_title(&mm, layout.arg_start..layout.env_end, out).map(|()| None);
    }
    show_strings(&mm, layout.arg_start..layout.arg_end, from, out)
}

/// A program that wrote over the end of its arguments has given itself a title: the text up to the first NUL.
fn show_title(mm: &UserMm, strings: Range<u64>, out: &mut Text) -> Result<(), Errno> {
    let text = read(mm, strings)?;
    let len = text.iter().position(|&byte| byte == 0).map_or(text.len(), |nul| nul + 1);
    out.push(&text[..len])
}

/// `/proc/PID/environ`: the environment, as the program got it.
pub fn show_environ(process: &Process, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
    let Some(mm) = process.open()?.memory() else { return Ok(None) };
    let layout = mm.lock().layout;
    show_strings(&mm, layout.env_start..layout.env_end, from, out)
}

fn show_strings(mm: &UserMm, strings: Range<u64>, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
    let start = strings.start.saturating_add(from);
    let piece = read(mm, start..strings.end)?;
    out.push(&piece)?;
    let next = from + piece.len() as u64;
    Ok((piece.len() == PIECE && next < strings.end - strings.start).then_some(next))
}

/// The bytes of `range`, at most [`PIECE`] of them.
fn read(mm: &UserMm, range: Range<u64>) -> Result<Vec<u8>, Errno> {
    let len = range.end.saturating_sub(range.start).min(PIECE as u64) as usize;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
    bytes.resize(len, 0);
    let done = mm.read_remote(range.start, &mut bytes);
    bytes.truncate(done);
    Ok(bytes)
}

/// `/proc/PID/auxv`: the auxiliary vector, with the pair of zeros that ends it.
pub fn show_auxv(process: &Process, out: &mut Text) -> Result<(), Errno> {
    match process.open()?.memory() {
        Some(mm) => out.push(&mm.program().auxv),
        None => Ok(()),
    }
}

/// `/proc/PID/comm`: the name.
pub fn show_comm(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let (comm, len) = process.task()?.comm();
    out.push(&comm[..len])?;
    out.push(b"\n")
}

/// Sets the name. Only the process itself may (Linux: threads of one process may name each other), else EINVAL.
pub fn set_comm(process: &Process, name: &[u8]) -> Result<(), Errno> {
    let task = process.task()?;
    if task.pid() != crate::task::current().pid() {
        return Err(Errno::EINVAL);
    }
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    task.set_comm(&name[..end]);
    Ok(())
}
