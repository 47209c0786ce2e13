//! The console as a terminal: lines of input for whoever reads, and output in between.
//!
//! The UART's interrupt feeds [`receive`]; programs reach [`Console`] through `/dev/console`. What a byte means
//! is decided by the line discipline in `fs::tty`. Output goes out as it is (OPOST is off): the terminal
//! behind QEMU's console turns line ends itself. Mirrors `drivers/tty/tty_io.c`.

use super::pl011;
use crate::console;
use crate::sync::{IrqMutex, WaitQueue, park};
use abi::Errno;
use fs::io::{CharDevice, PollEvents, PollKeys, ReadSink, Wait, WriteSource};
use fs::tty::{LineDiscipline, Received};

static LINE: IrqMutex<LineDiscipline> = IrqMutex::new(LineDiscipline::new());

/// Tasks that wait for a line.
static READERS: WaitQueue = WaitQueue::new();

/// Where those wait who wait for other files, too.
fn poll_key() -> usize {
    (&raw const LINE).addr()
}

/// Bytes that go between a program and the terminal at a time.
const CHUNK: usize = 256;

/// The console's character device.
pub struct Console;

/// Whether the terminal can take another byte. If not, [`pl011::resume`] is called when it can.
pub(super) fn has_room() -> bool {
    !LINE.lock().is_throttled()
}

/// A byte was typed. Called in interrupt context.
pub(super) fn receive(byte: u8) {
    let received = LINE.lock().receive(byte, &mut console::write);
    match received {
        Received::Line => {
            READERS.wake_all();
            park::wake(poll_key());
        }
        // There are no signals yet: the interrupt character only throws the input away.
        Received::Nothing | Received::Interrupt => {}
    }
}

impl CharDevice for Console {
    /// Delivers at most one line. 0 is the end of the input.
    fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno> {
        let mut done = 0;
        let mut chunk = [0; CHUNK];
        while sink.remaining() > 0 {
            let wanted = &mut chunk[..CHUNK.min(sink.remaining())];
            let part = match wait {
                Wait::Block => READERS.wait_until(|| LINE.lock().read(wanted)),
                Wait::NonBlock => LINE.lock().read(wanted).ok_or(Errno::EAGAIN)?,
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

    fn poll(&self, keys: &mut PollKeys) -> PollEvents {
        keys.add(poll_key());
        let mut events = PollEvents::OUT | PollEvents::WRNORM;
        events.set(PollEvents::IN | PollEvents::RDNORM, LINE.lock().is_readable());
        events
    }

    fn write(&self, source: &mut dyn WriteSource, _: Wait) -> Result<usize, Errno> {
        let mut done = 0;
        let mut chunk = [0; CHUNK];
        while source.remaining() > 0 {
            let wanted = CHUNK.min(source.remaining());
            let taken = source.take(&mut chunk[..wanted]);
            LINE.lock().note_output(&chunk[..taken]);
            console::write(&chunk[..taken]);
            done += taken;
            if taken < wanted {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }
}
