//! The line discipline of a terminal: typed bytes in, edited lines out, Linux's `N_TTY`.
//!
//! Pure: the console driver feeds [`LineDiscipline::receive`] from its interrupt, sends what is echoed,
//! and waits and wakes around [`LineDiscipline::read`]. What happens is up to a [`Termios`]. Mirrors
//! `drivers/tty/n_tty.c`.

mod edit;
mod output;
#[cfg(test)]
mod tests;

use abi::signal::Signal;
use abi::termios::{Control, InputFlags, LocalFlags, Termios};

/// Bytes that are kept, complete lines and the line that is being edited together.
pub const N_TTY_BUF_SIZE: usize = 4096;

/// What a received byte means to the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Nothing to do.
    Nothing,
    /// There is more to read: wake readers.
    Input,
    /// The foreground gets this signal. Input may have been thrown away.
    Signal(Signal),
    /// Output goes on: wake writers.
    Started,
}

/// What [`LineDiscipline::read`] took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinePart {
    /// Bytes of it. A line of none is the end of the input.
    pub len: usize,
    /// Whether the rest of the line is still there.
    pub goes_on: bool,
}

/// Which bytes a program may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// Whole lines.
    Canonical,
    /// All that was typed.
    Raw {
        /// Bytes to wait for; 0: none.
        min: usize,
        /// How long to wait for the next byte, or without `min` for the first, in tenths of a second; 0: for ever,
        /// or without `min` not at all.
        time: u8,
    },
}

/// Input state of one terminal.
///
/// The three positions only grow; a position's byte is at its remainder by [`N_TTY_BUF_SIZE`].
/// `read <= canon <= write`: complete lines lie before `canon`, the line being edited after it.
pub struct LineDiscipline {
    termios: Termios,
    buf: [u8; N_TTY_BUF_SIZE],
    /// One bit for each byte of `buf`: it ends a line. A zero byte that does is a typed end of file.
    line_ends: [u64; N_TTY_BUF_SIZE / 64],
    read: usize,
    canon: usize,
    write: usize,
    /// Where the cursor is on the screen, as far as tabs need it.
    column: usize,
    /// Where the cursor was when the line being edited began.
    canon_column: usize,
    /// The next byte means itself (LNEXT).
    literal_next: bool,
    /// Output waits (STOP).
    stopped: bool,
}

impl LineDiscipline {
    /// A terminal with nothing typed.
    pub const fn new() -> Self {
        Self {
            termios: Termios::STANDARD,
            buf: [0; N_TTY_BUF_SIZE],
            line_ends: [0; N_TTY_BUF_SIZE / 64],
            read: 0,
            canon: 0,
            write: 0,
            column: 0,
            canon_column: 0,
            literal_next: false,
            stopped: false,
        }
    }

    /// The settings.
    pub fn termios(&self) -> &Termios {
        &self.termios
    }

    /// Replaces the settings. What was typed so far can be read if it could or when lines are given up; as a line when lines
    /// begin.
    pub fn set_termios(&mut self, termios: Termios) {
        let was_canonical = self.is_canonical();
        self.termios = termios;
        if was_canonical != self.is_canonical() {
            self.line_ends.fill(0);
            self.canon = self.write;
            if self.is_canonical() && self.read != self.write {
                self.set_line_end(self.write - 1, true);
            }
        }
        if !self.has(InputFlags::IXON) {
            self.stopped = false;
        }
    }

    /// How programs read.
    pub fn read_mode(&self) -> ReadMode {
        if self.is_canonical() {
            return ReadMode::Canonical;
        }
        let min = self.termios.control(Control::Min).into();
        ReadMode::Raw { min, time: self.termios.control(Control::Time) }
    }

    /// Bytes that can be read.
    pub fn available(&self) -> usize {
        let end = if self.is_canonical() { self.canon } else { self.write };
        end - self.read
    }

    /// Whether a read that waits would return something (`input_available_p`).
    pub fn is_readable(&self) -> bool {
        match self.read_mode() {
            ReadMode::Raw { min, time: 0 } => self.available() >= min.max(1),
            _ => self.available() > 0,
        }
    }

    /// Whether output has to wait.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Stops output, or lets it go on.
    pub fn set_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
    }

    /// Forgets what was typed.
    pub fn flush_input(&mut self) {
        self.canon = self.write;
        self.read = self.write;
        self.line_ends.fill(0);
    }

    /// Whether the driver should hold bytes back until somebody reads: no input is lost then.
    pub fn is_throttled(&self) -> bool {
        self.is_full() && self.available() > 0
    }

    /// One place is kept for the end of the line.
    fn is_full(&self) -> bool {
        self.write - self.read >= N_TTY_BUF_SIZE - 1
    }

    fn is_canonical(&self) -> bool {
        self.edits(LocalFlags::ICANON)
    }

    fn has(&self, flag: InputFlags) -> bool {
        self.termios.input().contains(flag)
    }

    fn edits(&self, flag: LocalFlags) -> bool {
        self.termios.local().contains(flag)
    }

    /// Takes a byte from the line. What the terminal shows for it goes to `echo`.
    pub fn receive(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) -> Received {
        let byte = if self.has(InputFlags::ISTRIP) { byte & 0x7f } else { byte };
        if core::mem::take(&mut self.literal_next) {
            return self.receive_plain(byte, echo);
        }
        if let Some(received) = self.flow(byte) {
            return received;
        }
        if self.edits(LocalFlags::ISIG)
            && let Some(signal) = self.signal_of(byte)
        {
            if !self.edits(LocalFlags::NOFLSH) {
                self.flush_input();
            }
            self.stopped = false;
            self.echo(byte, echo);
            return Received::Signal(signal);
        }
        let byte = match byte {
            b'\r' if self.has(InputFlags::IGNCR) => return Received::Nothing,
            b'\r' if self.has(InputFlags::ICRNL) => b'\n',
            b'\n' if self.has(InputFlags::INLCR) => b'\r',
            byte => byte,
        };
        if self.is_canonical() { self.receive_canonical(byte, echo) } else { self.receive_plain(byte, echo) }
    }

    /// STOP and START; with IXANY every byte starts, and still means what it means.
    fn flow(&mut self, byte: u8) -> Option<Received> {
        if !self.has(InputFlags::IXON) {
            return None;
        }
        if self.termios.is(Control::Start, byte) {
            self.stopped = false;
            return Some(Received::Started);
        }
        if self.termios.is(Control::Stop, byte) {
            self.stopped = true;
            return Some(Received::Nothing);
        }
        if self.has(InputFlags::IXANY) {
            self.stopped = false;
        }
        None
    }

    fn signal_of(&self, byte: u8) -> Option<Signal> {
        let signals = [
            (Control::Intr, Signal::SIGINT),
            (Control::Quit, Signal::SIGQUIT),
            (Control::Susp, Signal::SIGTSTP),
        ];
        signals.iter().find(|(control, _)| self.termios.is(*control, byte)).map(|(_, signal)| *signal)
    }

    /// A byte that means itself. A line longer than the buffer loses its surplus, as on Linux.
    fn receive_plain(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) -> Received {
        if self.is_full() {
            return Received::Nothing;
        }
        self.push(byte);
        self.echo(byte, echo);
        if self.is_canonical() { Received::Nothing } else { Received::Input }
    }

    /// Takes at most one line, or what fits of it; or, without lines, what there is. `None`: nothing to read yet.
    pub fn read(&mut self, out: &mut [u8]) -> Option<LinePart> {
        if self.available() == 0 {
            return None;
        }
        if !self.is_canonical() {
            let len = self.available().min(out.len());
            for slot in &mut out[..len] {
                *slot = self.take();
            }
            return Some(LinePart { len, goes_on: true });
        }
        let mut len = 0;
        while len < out.len() && self.available() > 0 {
            let ends = self.take_line_end();
            let byte = self.take();
            if ends && byte == 0 {
                return Some(LinePart { len, goes_on: false });
            }
            out[len] = byte;
            len += 1;
            if ends {
                return Some(LinePart { len, goes_on: false });
            }
        }
        // An end of file that only ended this line must not be read again as an end of the input.
        let ended = len > 0 && self.available() > 0 && self.next_is_end_of_file();
        if ended {
            self.take_line_end();
            self.take();
        }
        Some(LinePart { len, goes_on: !ended })
    }

    fn take(&mut self) -> u8 {
        let byte = self.buf[self.read % N_TTY_BUF_SIZE];
        self.read += 1;
        byte
    }

    fn push(&mut self, byte: u8) {
        if self.write == self.canon {
            self.canon_column = self.column;
        }
        self.set_line_end(self.write, false);
        self.buf[self.write % N_TTY_BUF_SIZE] = byte;
        self.write += 1;
        if !self.is_canonical() {
            self.canon = self.write;
        }
    }

    fn set_line_end(&mut self, position: usize, ends: bool) {
        let at = position % N_TTY_BUF_SIZE;
        let (word, bit) = (&mut self.line_ends[at / 64], 1 << (at % 64));
        *word = if ends { *word | bit } else { *word & !bit };
    }

    fn is_line_end(&self, position: usize) -> bool {
        let at = position % N_TTY_BUF_SIZE;
        self.line_ends[at / 64] & (1 << (at % 64)) != 0
    }

    /// Whether the next byte to be read ends a line; not so any more afterwards.
    fn take_line_end(&mut self) -> bool {
        let ends = self.is_line_end(self.read);
        self.set_line_end(self.read, false);
        ends
    }

    fn next_is_end_of_file(&self) -> bool {
        self.is_line_end(self.read) && self.buf[self.read % N_TTY_BUF_SIZE] == 0
    }
}

impl Default for LineDiscipline {
    fn default() -> Self {
        Self::new()
    }
}
