//! Bytes from and to pipes inside the kernel: splice, tee, vmsplice. Mirrors the system calls of Linux's `fs/splice.c`.

use super::super::SysResult;
use super::copy::Position;
use super::rw::{broken_pipe, with_iovecs};
use super::{check_flags, length, open_file};
use crate::arch::trap::TrapFrame;
use crate::file::{PageCache, UserBuffers};
use crate::heap;
use abi::{Errno, OpenFlags};
use fs::io::{ReadSink, Wait};
use fs::pipe::{PipeEnd, Transfer, WriteMode};
use fs::vfs::{File, FileKind, MAX_RW_COUNT};

/// `SPLICE_F_*`: moving, more to come and giving pages away are wishes that make no difference here.
const NONBLOCK: u32 = 2;
const ALL: u32 = 15;

fn pipe_of(file: &File) -> Option<&PipeEnd> {
    match file.kind() {
        FileKind::Pipe(end) => Some(end),
        _ => None,
    }
}

/// Whether a call with these flags waits for a pipe that was opened as `file`.
fn wait(flags: u32, file: &File) -> Wait {
    let never = flags & NONBLOCK != 0 || file.flags().contains(OpenFlags::NONBLOCK);
    if never { Wait::NonBlock } else { Wait::Block }
}

/// `splice(2)`.
pub fn splice(frame: &mut TrapFrame) -> SysResult {
    let [in_fd, in_pos, out_fd, out_pos, len, flags] = frame.args();
    if len == 0 {
        return Ok(0);
    }
    heap::reserve()?;
    let flags = check_flags(flags, ALL)?;
    let (from, to) = (open_file(in_fd)?, open_file(out_fd)?);
    let len = length(len).unwrap_or(MAX_RW_COUNT).min(MAX_RW_COUNT);
    let (in_pipe, out_pipe) = (pipe_of(&from), pipe_of(&to));
    if in_pipe.is_some() && in_pos != 0 || out_pipe.is_some() && out_pos != 0 {
        return Err(Errno::ESPIPE);
    }
    if !from.is_readable() || !to.is_writable() {
        return Err(Errno::EBADF);
    }
    let done = match (in_pipe, out_pipe) {
        (Some(source), Some(target)) if source.same_pipe(target) => Err(Errno::EINVAL),
        (Some(source), Some(target)) => {
            let wait = if wait(flags, &from) == Wait::NonBlock { Wait::NonBlock } else { wait(flags, &to) };
            source.transfer(target, len, Transfer::Move, wait)
        }
        (Some(source), None) => to_file(source, &to, out_pos, len, wait(flags, &from)),
        (None, Some(target)) => from_file(&from, in_pos, target, len, wait(flags, &to)),
        (None, None) => Err(Errno::EINVAL),
    };
    Ok(broken_pipe(done)? as u64)
}

fn to_file(source: &PipeEnd, to: &File, pos: u64, len: usize, wait: Wait) -> Result<usize, Errno> {
    if to.flags().contains(OpenFlags::APPEND) || matches!(to.kind(), FileKind::Directory) {
        return Err(Errno::EINVAL);
    }
    let seeks = matches!(to.kind(), FileKind::PageCache(_));
    if pos != 0 && !seeks {
        return Err(Errno::EINVAL);
    }
    let position = if seeks { Some(Position::new(to, pos)?) } else { None };
    let mut done = 0;
    // Once something has come, an empty pipe ends it.
    while done < len {
        let wait = if done == 0 { wait } else { Wait::NonBlock };
        let step = source.give_to(len - done, wait, |bytes| match &position {
            Some(position) => to.pwrite(&PageCache, position.start() + done as u64, bytes),
            None => to.write(&PageCache, bytes),
        });
        match step {
            Ok(0) => break,
            Ok(step) => done += step,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    position.map_or(Ok(()), |position| position.advance(to, done))?;
    Ok(done)
}

fn from_file(from: &File, pos: u64, target: &PipeEnd, len: usize, wait: Wait) -> Result<usize, Errno> {
    if matches!(from.kind(), FileKind::Directory) {
        return Err(Errno::EINVAL);
    }
    if !matches!(from.kind(), FileKind::PageCache(_)) {
        if pos != 0 {
            return Err(Errno::EINVAL);
        }
        return target.take_from(len, wait, |sink| from.read(&PageCache, sink));
    }
    let position = Position::new(from, pos)?;
    let done = target.take_from(len, wait, |sink| from.pread(&PageCache, position.start(), sink))?;
    position.advance(from, done)?;
    Ok(done)
}

/// `tee(2)`.
pub fn tee(frame: &mut TrapFrame) -> SysResult {
    let [in_fd, out_fd, len, flags, ..] = frame.args();
    let flags = check_flags(flags, ALL)?;
    if len == 0 {
        return Ok(0);
    }
    heap::reserve()?;
    let (from, to) = (open_file(in_fd)?, open_file(out_fd)?);
    if !from.is_readable() || !to.is_writable() {
        return Err(Errno::EBADF);
    }
    let (Some(source), Some(target)) = (pipe_of(&from), pipe_of(&to)) else { return Err(Errno::EINVAL) };
    if source.same_pipe(target) {
        return Err(Errno::EINVAL);
    }
    let len = length(len).unwrap_or(MAX_RW_COUNT).min(MAX_RW_COUNT);
    let wait = if wait(flags, &from) == Wait::NonBlock { Wait::NonBlock } else { wait(flags, &to) };
    Ok(broken_pipe(source.transfer(target, len, Transfer::Copy, wait))? as u64)
}

/// `vmsplice(2)`: to a pipe like writev, from one like readv.
pub fn vmsplice(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, flags, ..] = frame.args();
    let flags = check_flags(flags, ALL)?;
    heap::reserve()?;
    let file = open_file(fd)?;
    if !file.is_readable() && !file.is_writable() {
        return Err(Errno::EBADF);
    }
    let wait = wait(flags, &file);
    let done = with_iovecs(list, count, |buffers| {
        let mut bytes = UserBuffers::new(buffers, MAX_RW_COUNT);
        if ReadSink::remaining(&bytes) == 0 {
            return Ok(0);
        }
        let end = pipe_of(&file).ok_or(Errno::EBADF)?;
        if file.is_writable() {
            end.write(&mut bytes, wait, WriteMode::Stream)
        } else {
            end.read(&mut bytes, wait)
        }
    });
    Ok(broken_pipe(done)? as u64)
}
