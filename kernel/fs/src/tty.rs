//! The line discipline of a terminal: typed bytes in, edited lines out, Linux's `N_TTY` in canonical
//! mode with the default `termios` (ICRNL, ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, ISIG).
//!
//! Pure: the console driver feeds [`LineDiscipline::receive`] from its interrupt, sends what is echoed,
//! and waits and wakes around [`LineDiscipline::read`]. Mirrors `drivers/tty/n_tty.c`.

/// Bytes that are kept, complete lines and the line that is being edited together.
pub const N_TTY_BUF_SIZE: usize = 4096;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const CTRL_W: u8 = 0x17;
const DEL: u8 = 0x7f;

/// What a received byte means to the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Nothing to do.
    Nothing,
    /// A line (or an end of file) became complete: wake readers.
    Line,
    /// The interrupt character; all input was thrown away.
    Interrupt,
}

/// What [`LineDiscipline::read`] took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinePart {
    /// Bytes of it. A line of none is the end of the input.
    pub len: usize,
    /// Whether the rest of the line is still there.
    pub goes_on: bool,
}

/// Input state of one terminal.
///
/// The three positions only grow; a position's byte is at its remainder by [`N_TTY_BUF_SIZE`].
/// `read <= canon <= write`: complete lines lie before `canon`, the line being edited after it.
pub struct LineDiscipline {
    buf: [u8; N_TTY_BUF_SIZE],
    /// One bit for each byte of `buf`: not a character but a typed end of file.
    eof_marks: [u64; N_TTY_BUF_SIZE / 64],
    read: usize,
    canon: usize,
    write: usize,
    /// Where the cursor is on the screen, as far as tabs need it.
    column: usize,
    /// Where the cursor was when the line being edited began.
    canon_column: usize,
}

impl LineDiscipline {
    /// A terminal with nothing typed.
    pub const fn new() -> Self {
        Self {
            buf: [0; N_TTY_BUF_SIZE],
            eof_marks: [0; N_TTY_BUF_SIZE / 64],
            read: 0,
            canon: 0,
            write: 0,
            column: 0,
            canon_column: 0,
        }
    }

    /// Whether [`Self::read`] would return something.
    pub fn is_readable(&self) -> bool {
        self.read != self.canon
    }

    /// Whether the driver should hold bytes back until somebody reads: no input is lost then.
    pub fn is_throttled(&self) -> bool {
        self.is_full() && self.is_readable()
    }

    /// One place is kept for the end of the line.
    fn is_full(&self) -> bool {
        self.write - self.read >= N_TTY_BUF_SIZE - 1
    }

    /// Takes a byte from the line. What the terminal shows for it goes to `echo`.
    pub fn receive(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) -> Received {
        match byte {
            b'\n' | b'\r' => self.end_line(b'\n', echo),
            CTRL_C => {
                self.canon = self.write;
                self.read = self.write;
                self.eof_marks.fill(0);
                self.echo_byte(byte, echo);
                Received::Interrupt
            }
            CTRL_D => self.end_file(),
            DEL => {
                self.erase(echo);
                Received::Nothing
            }
            CTRL_U => {
                while self.erase(echo) {}
                Received::Nothing
            }
            CTRL_W => {
                while self.last_typed() == Some(b' ') || self.last_typed() == Some(b'\t') {
                    self.erase(echo);
                }
                while self.last_typed().is_some_and(|b| b != b' ' && b != b'\t') {
                    self.erase(echo);
                }
                Received::Nothing
            }
            _ => {
                // A line longer than the buffer loses its surplus, as on Linux.
                if !self.is_full() {
                    self.push(byte);
                    self.echo_byte(byte, echo);
                }
                Received::Nothing
            }
        }
    }

    /// Takes at most one line, or what fits of it. `None`: nothing to read yet.
    pub fn read(&mut self, out: &mut [u8]) -> Option<LinePart> {
        if !self.is_readable() {
            return None;
        }
        let mut len = 0;
        while len < out.len() && self.is_readable() {
            if self.take_eof_mark() {
                return Some(LinePart { len, goes_on: false });
            }
            let byte = self.buf[self.read % N_TTY_BUF_SIZE];
            self.read += 1;
            out[len] = byte;
            len += 1;
            if byte == b'\n' {
                return Some(LinePart { len, goes_on: false });
            }
        }
        // An end of file that only ended this line must not be read again as an end of the input.
        let ended = len > 0 && self.is_readable() && self.take_eof_mark();
        Some(LinePart { len, goes_on: !ended })
    }

    /// Notes what a program wrote, so that the cursor's column is known.
    pub fn note_output(&mut self, bytes: &[u8]) {
        // Only what follows the last line break can matter.
        let start = bytes.iter().rposition(|&b| b == b'\n' || b == b'\r').unwrap_or(0);
        for &byte in &bytes[start..] {
            self.column = column_after(self.column, byte);
        }
    }

    fn push(&mut self, byte: u8) {
        if self.write == self.canon {
            self.canon_column = self.column;
        }
        self.buf[self.write % N_TTY_BUF_SIZE] = byte;
        self.write += 1;
    }

    fn end_line(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) -> Received {
        self.push(byte);
        self.canon = self.write;
        self.column = 0;
        echo(b"\n");
        Received::Line
    }

    fn end_file(&mut self) -> Received {
        let at = self.write % N_TTY_BUF_SIZE;
        self.eof_marks[at / 64] |= 1 << (at % 64);
        self.push(0);
        self.canon = self.write;
        Received::Line
    }

    /// Steps over a typed end of file if that is what comes next.
    fn take_eof_mark(&mut self) -> bool {
        let at = self.read % N_TTY_BUF_SIZE;
        let word = &mut self.eof_marks[at / 64];
        let marked = *word & (1 << (at % 64)) != 0;
        if marked {
            *word &= !(1 << (at % 64));
            self.read += 1;
        }
        marked
    }

    fn last_typed(&self) -> Option<u8> {
        (self.write > self.canon).then(|| self.buf[(self.write - 1) % N_TTY_BUF_SIZE])
    }

    /// Takes the last byte of the line being edited back, on the screen too. False: there is none.
    fn erase(&mut self, echo: &mut dyn FnMut(&[u8])) -> bool {
        if self.last_typed().is_none() {
            return false;
        }
        self.write -= 1;
        let typed = (self.canon..self.write).map(|at| self.buf[at % N_TTY_BUF_SIZE]);
        let column = typed.fold(self.canon_column, column_after);
        for _ in column..self.column {
            echo(b"\x08 \x08");
        }
        self.column = column;
        true
    }

    fn echo_byte(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) {
        self.column = column_after(self.column, byte);
        match byte {
            b'\t' => echo(b"\t"),
            0..0x20 | DEL => echo(&[b'^', byte ^ 0x40]),
            _ => echo(&[byte]),
        }
    }
}

impl Default for LineDiscipline {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the cursor is after `byte` was shown at `column`.
fn column_after(column: usize, byte: u8) -> usize {
    match byte {
        b'\n' | b'\r' => 0,
        b'\t' => (column | 7) + 1,
        0x08 => column.saturating_sub(1),
        0..0x20 | DEL => column + 2,
        _ => column + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    struct Terminal {
        line: LineDiscipline,
        screen: Vec<u8>,
    }

    impl Terminal {
        fn new() -> Self {
            Self { line: LineDiscipline::new(), screen: Vec::new() }
        }

        fn typed(&mut self, bytes: &[u8]) -> Received {
            let mut last = Received::Nothing;
            for &byte in bytes {
                last = self.line.receive(byte, &mut |echo| self.screen.extend_from_slice(echo));
            }
            last
        }

        fn read(&mut self, len: usize) -> Option<Vec<u8>> {
            let mut out = alloc::vec![0; len];
            let part = self.line.read(&mut out)?;
            out.truncate(part.len);
            Some(out)
        }
    }

    #[test]
    fn a_line_is_readable_when_it_is_complete() {
        let mut tty = Terminal::new();
        assert_eq!(tty.typed(b"ls"), Received::Nothing);
        assert_eq!(tty.read(10), None);
        assert_eq!(tty.typed(b"\r"), Received::Line);
        assert_eq!(tty.read(10).unwrap(), b"ls\n");
        assert_eq!(tty.read(10), None);
        assert_eq!(tty.screen, b"ls\n");
    }

    #[test]
    fn a_read_takes_one_line_and_a_short_read_leaves_the_rest() {
        let mut tty = Terminal::new();
        tty.typed(b"one\ntwo\n");
        assert_eq!(tty.read(2).unwrap(), b"on");
        assert_eq!(tty.read(10).unwrap(), b"e\n");
        assert_eq!(tty.read(10).unwrap(), b"two\n");
        assert_eq!(tty.read(10), None);
    }

    #[test]
    fn a_part_of_a_line_says_whether_the_line_goes_on() {
        let mut tty = Terminal::new();
        tty.typed(b"abcd\nef\x04");
        let mut out = [0; 4];
        assert_eq!(tty.line.read(&mut out), Some(LinePart { len: 4, goes_on: true }));
        assert_eq!(tty.line.read(&mut out), Some(LinePart { len: 1, goes_on: false }));
        assert_eq!(tty.line.read(&mut out[..2]), Some(LinePart { len: 2, goes_on: false }));
        assert_eq!(tty.line.read(&mut out), None);
    }

    #[test]
    fn erase_kill_and_word_erase_edit_the_line_and_the_screen() {
        let mut tty = Terminal::new();
        tty.typed(b"ab\x7f\x7f\x7f");
        assert_eq!(tty.screen, b"ab\x08 \x08\x08 \x08");
        tty.typed(b"one two  \x17\x17x y\x15cat\n");
        assert_eq!(tty.read(10).unwrap(), b"cat\n");
    }

    #[test]
    fn erasing_does_not_reach_into_a_complete_line() {
        let mut tty = Terminal::new();
        tty.typed(b"a\n\x7f\x15\x17b\n");
        assert_eq!(tty.read(10).unwrap(), b"a\n");
        assert_eq!(tty.read(10).unwrap(), b"b\n");
    }

    #[test]
    fn control_characters_and_tabs_are_erased_at_their_width() {
        let mut tty = Terminal::new();
        tty.line.note_output(b"text\n$ ");
        tty.typed(b"\x01\x7f");
        assert_eq!(tty.screen, b"^A\x08 \x08\x08 \x08");
        tty.screen.clear();
        tty.typed(b"\t\x7f");
        assert_eq!(tty.screen, [b"\t".as_slice(), &b"\x08 \x08".repeat(6)].concat());
    }

    #[test]
    fn end_of_file_alone_reads_as_zero_bytes_once() {
        let mut tty = Terminal::new();
        assert_eq!(tty.typed(b"\x04"), Received::Line);
        assert_eq!(tty.read(10).unwrap(), b"");
        assert_eq!(tty.read(10), None);
    }

    #[test]
    fn end_of_file_after_text_only_pushes_the_text() {
        let mut tty = Terminal::new();
        tty.typed(b"abc\x04def\n\x04");
        assert_eq!(tty.read(3).unwrap(), b"abc", "and the mark goes with the last byte");
        assert_eq!(tty.read(10).unwrap(), b"def\n");
        assert_eq!(tty.read(10).unwrap(), b"");
        assert_eq!(tty.read(10), None);
    }

    #[test]
    fn interrupt_throws_the_input_away() {
        let mut tty = Terminal::new();
        assert_eq!(tty.typed(b"one\n\x04two\x03"), Received::Interrupt);
        assert_eq!(tty.read(10), None);
        assert!(tty.screen.ends_with(b"two^C"));
        tty.typed(b"x\n");
        assert_eq!(tty.read(10).unwrap(), b"x\n");
    }

    #[test]
    fn input_is_held_back_while_nobody_reads_and_none_is_lost() {
        let mut tty = Terminal::new();
        let text: Vec<u8> = (0..3000).flat_map(|n| alloc::format!("{n}\n").into_bytes()).collect();
        let (mut fed, mut got) = (0, Vec::new());
        while got.len() < text.len() {
            while fed < text.len() && !tty.line.is_throttled() {
                tty.typed(&text[fed..=fed]);
                fed += 1;
            }
            got.extend(tty.read(7).unwrap());
        }
        assert_eq!(got, text);
    }

    #[test]
    fn an_endless_line_loses_its_surplus_but_not_its_end() {
        let mut tty = Terminal::new();
        tty.typed(&[b'x'; 2 * N_TTY_BUF_SIZE]);
        assert!(!tty.line.is_throttled(), "nothing could be read, so holding back would hang");
        assert_eq!(tty.typed(b"\n"), Received::Line);
        let line = tty.read(2 * N_TTY_BUF_SIZE).unwrap();
        assert_eq!((line.len(), line.last()), (N_TTY_BUF_SIZE, Some(&b'\n')));
    }
}
