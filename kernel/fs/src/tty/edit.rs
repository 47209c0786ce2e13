//! Editing a line: what the control characters do to it and to the screen.

use super::output::column_after;
use super::{LineDiscipline, N_TTY_BUF_SIZE, Received};
use abi::termios::{Control, InputFlags, LocalFlags};

impl LineDiscipline {
    /// A byte for the line that is being edited.
    pub(super) fn receive_canonical(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) -> Received {
        let is = |which| self.termios.is(which, byte);
        if byte == b'\n' {
            if self.edits(LocalFlags::ECHO) || self.edits(LocalFlags::ECHONL) {
                self.write_out(b"\n", echo);
            }
            return self.end_line(b'\n');
        }
        if is(Control::Eof) {
            return self.end_line(0);
        }
        if is(Control::Eol) || is(Control::Eol2) && self.edits(LocalFlags::IEXTEN) {
            self.echo(byte, echo);
            return self.end_line(byte);
        }
        if is(Control::Erase) {
            self.erase(byte, echo);
        } else if is(Control::Kill) {
            self.kill(byte, echo);
        } else if self.edits(LocalFlags::IEXTEN) && is(Control::Werase) {
            self.erase_word(byte, echo);
        } else if self.edits(LocalFlags::IEXTEN) && is(Control::Lnext) {
            self.literal_next = true;
            if self.edits(LocalFlags::ECHO) && self.edits(LocalFlags::ECHOCTL) {
                echo(b"^\x08");
            }
        } else if self.edits(LocalFlags::IEXTEN | LocalFlags::ECHO) && is(Control::Reprint) {
            self.reprint(byte, echo);
        } else {
            return self.receive_plain(byte, echo);
        }
        Received::Nothing
    }

    fn end_line(&mut self, byte: u8) -> Received {
        self.push(byte);
        self.set_line_end(self.write - 1, true);
        self.canon = self.write;
        Received::Input
    }

    /// The bytes of the line that is being edited.
    fn typed(&self) -> impl Iterator<Item = u8> {
        (self.canon..self.write).map(|at| self.buf[at % N_TTY_BUF_SIZE])
    }

    fn last_typed(&self) -> Option<u8> {
        (self.write > self.canon).then(|| self.buf[(self.write - 1) % N_TTY_BUF_SIZE])
    }

    /// Takes the last character back, on the screen too. False: there is none.
    fn take_back(&mut self, echo: &mut dyn FnMut(&[u8])) -> bool {
        let is_continuation = |byte: u8| byte & 0xc0 == 0x80;
        loop {
            let Some(byte) = self.last_typed() else { return false };
            self.write -= 1;
            let more = self.has(InputFlags::IUTF8) && is_continuation(byte);
            if !more || self.last_typed().is_none() {
                break;
            }
        }
        if self.edits(LocalFlags::ECHO) {
            let mode = self.column_mode();
            let column =
                self.typed().fold(self.canon_column, |column, byte| column_after(column, byte, mode));
            for _ in column..self.column {
                echo(b"\x08 \x08");
            }
            self.column = column;
        }
        true
    }

    /// ERASE. On a terminal that cannot wipe, the key is shown.
    fn erase(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) {
        if self.edits(LocalFlags::ECHOE) {
            self.take_back(echo);
        } else if self.last_typed().is_some() {
            self.take_back(&mut |_| ());
            self.echo(byte, echo);
        }
    }

    /// KILL.
    fn kill(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) {
        if self.edits(LocalFlags::ECHOE | LocalFlags::ECHOK | LocalFlags::ECHOKE) {
            while self.take_back(echo) {}
            return;
        }
        self.write = self.canon;
        self.echo(byte, echo);
        if self.edits(LocalFlags::ECHO | LocalFlags::ECHOK) {
            self.write_out(b"\n", echo);
        }
    }

    /// WERASE: blanks, then what is before them.
    fn erase_word(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) {
        let is_blank = |byte: u8| byte == b' ' || byte == b'\t';
        while self.last_typed().is_some_and(is_blank) {
            self.erase(byte, echo);
        }
        while self.last_typed().is_some_and(|byte| !is_blank(byte)) {
            self.erase(byte, echo);
        }
    }

    /// REPRINT: the line again.
    fn reprint(&mut self, byte: u8, echo: &mut dyn FnMut(&[u8])) {
        self.echo(byte, echo);
        self.write_out(b"\n", echo);
        self.canon_column = self.column;
        for at in self.canon..self.write {
            self.echo(self.buf[at % N_TTY_BUF_SIZE], echo);
        }
    }
}
