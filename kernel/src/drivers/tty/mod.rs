//! The console as a terminal: input for whoever reads, output in between, and the keys that send signals.
//!
//! The UART's interrupt feeds [`receive`]; programs reach the functions here through the device files in `file::console`.
//! What a byte means is decided by the line discipline in `fs::tty`, whose process the terminal is by `control`. Mirrors
//! `drivers/tty/tty_io.c` and the waiting half of `n_tty.c`.

pub mod control;

use super::{pl011, timer};
use crate::console;
use crate::sync::{IrqMutex, park};
use abi::Errno;
use abi::termios::{LocalFlags, Termios};
use control::Access;
use fs::io::{PollEvents, PollKeys, ReadSink, Wait, WriteSource};
use fs::tty::{LineDiscipline, ReadMode, Received};

static LINE: IrqMutex<LineDiscipline> = IrqMutex::new(LineDiscipline::new());

/// Where readers wait.
fn read_key() -> usize {
    (&raw const LINE).addr()
}

/// Where writers wait while output is stopped.
fn write_key() -> usize {
    read_key() + 1
}

/// Bytes that go between a program and the terminal at a time.
const CHUNK: usize = 256;

/// Nanoseconds of VTIME's unit.
const DECISECOND: u64 = 100_000_000;

/// Whether the terminal can take another byte. If not, [`pl011::resume`] is called when it can.
pub(super) fn has_room() -> bool {
    !LINE.lock().is_throttled()
}

/// A byte was typed. Called in interrupt context.
pub(super) fn receive(byte: u8) {
    let received = LINE.lock().receive(byte, &mut console::write);
    match received {
        Received::Nothing => {}
        Received::Input => park::wake(read_key()),
        Received::Started => park::wake(write_key()),
        Received::Signal(signal) => {
            park::wake(write_key());
            control::signal_foreground(signal);
        }
    }
}

/// The settings.
pub fn termios() -> Termios {
    *LINE.lock().termios()
}

/// What becomes of input that nobody has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It stays.
    Keep,
    /// It is forgotten.
    Flush,
}

/// Replaces the settings.
pub fn set_termios(termios: Termios, typed: Typed) {
    if typed == Typed::Flush {
        flush_input();
    }
    LINE.lock().set_termios(termios);
    // What is to be read, and whether output waits, may be other than before.
    park::wake(read_key());
    park::wake(write_key());
}

/// Forgets what was typed.
pub fn flush_input() {
    LINE.lock().flush_input();
    pl011::resume();
}

/// Stops output, or lets it go on.
pub fn set_stopped(stopped: bool) {
    LINE.lock().set_stopped(stopped);
    park::wake(write_key());
}

/// Bytes that can be read.
pub fn available() -> usize {
    LINE.lock().available()
}

/// Sleeps until `ready` says so or the clock reaches `deadline`; ERESTARTSYS when a signal comes.
fn wait(key: usize, deadline: Option<u64>, ready: &mut dyn FnMut() -> bool) -> Result<(), Errno> {
    park::wait_for_any(&[key], deadline, ready).map_err(|_| Errno::ERESTARTSYS)
}

/// `read(2)`: at most one line, 0 at the end of the input; or without lines what the settings say.
pub fn read(access: Access, sink: &mut dyn ReadSink, wait_mode: Wait) -> Result<usize, Errno> {
    access.check_read()?;
    if sink.remaining() == 0 {
        return Ok(0);
    }
    let mode = LINE.lock().read_mode();
    match mode {
        ReadMode::Canonical => read_line(sink, wait_mode),
        ReadMode::Raw { min, time } => read_raw(sink, wait_mode, min, u64::from(time) * DECISECOND),
    }
}

fn read_line(sink: &mut dyn ReadSink, wait_mode: Wait) -> Result<usize, Errno> {
    let mut done = 0;
    let mut chunk = [0; CHUNK];
    while sink.remaining() > 0 {
        let wanted = &mut chunk[..CHUNK.min(sink.remaining())];
        let taken = LINE.lock().read(wanted);
        let Some(part) = taken else {
            if done > 0 {
                break;
            }
            if wait_mode == Wait::NonBlock {
                return Err(Errno::EAGAIN);
            }
            wait(read_key(), None, &mut || LINE.lock().available() > 0)?;
            continue;
        };
        // There may be room again for what the UART holds back.
        pl011::resume();
        let stored = sink.put(&chunk[..part.len]);
        done += stored;
        if stored < part.len {
            return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
        }
        if !part.goes_on {
            break;
        }
    }
    Ok(done)
}

/// Waits for `min` bytes, and once one has come at most `time` for each more; without `min` at most `time` for the first.
fn read_raw(sink: &mut dyn ReadSink, wait_mode: Wait, min: usize, time: u64) -> Result<usize, Errno> {
    let after = |time: u64| Some(timer::now().saturating_add(time));
    let wanted = min.max(1).min(sink.remaining());
    let mut deadline = if min == 0 { after(time) } else { None };
    let mut done = 0;
    let mut chunk = [0; CHUNK];
    while done < wanted {
        let room = CHUNK.min(sink.remaining());
        let taken = LINE.lock().read(&mut chunk[..room]);
        if let Some(part) = taken {
            pl011::resume();
            let stored = sink.put(&chunk[..part.len]);
            done += stored;
            if stored < part.len {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
            if min > 0 && time > 0 {
                deadline = after(time);
            }
            continue;
        }
        let is_over = deadline.is_some_and(|deadline| timer::now() >= deadline);
        if is_over || wait_mode == Wait::NonBlock && done > 0 {
            break;
        }
        if wait_mode == Wait::NonBlock {
            return if min == 0 && time == 0 { Ok(0) } else { Err(Errno::EAGAIN) };
        }
        if let Err(error) = wait(read_key(), deadline, &mut || LINE.lock().available() > 0) {
            return if done == 0 { Err(error) } else { Ok(done) };
        }
    }
    Ok(done)
}

/// What can be done without waiting.
pub fn poll(keys: &mut PollKeys) -> PollEvents {
    keys.add(read_key());
    keys.add(write_key());
    let line = LINE.lock();
    let mut events = PollEvents::empty();
    events.set(PollEvents::OUT | PollEvents::WRNORM, !line.is_stopped());
    events.set(PollEvents::IN | PollEvents::RDNORM, line.is_readable());
    events
}

/// `write(2)`: everything, unless output is stopped and a signal comes.
pub fn write(access: Access, source: &mut dyn WriteSource, wait_mode: Wait) -> Result<usize, Errno> {
    if LINE.lock().termios().local().contains(LocalFlags::TOSTOP) {
        access.check_write()?;
    }
    let mut done = 0;
    let mut chunk = [0; CHUNK];
    while source.remaining() > 0 {
        if LINE.lock().is_stopped() {
            let waited = match wait_mode {
                Wait::Block => wait(write_key(), None, &mut || !LINE.lock().is_stopped()),
                Wait::NonBlock => Err(Errno::EAGAIN),
            };
            if let Err(error) = waited {
                return if done == 0 { Err(error) } else { Ok(done) };
            }
        }
        let wanted = CHUNK.min(source.remaining());
        let taken = source.take(&mut chunk[..wanted]);
        LINE.lock().write_out(&chunk[..taken], &mut console::write);
        done += taken;
        if taken < wanted {
            return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
        }
    }
    Ok(done)
}
