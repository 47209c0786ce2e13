//! What reaches the screen: programs' output and echoes, and where they leave the cursor. Mirrors `do_output_char`.

use super::LineDiscipline;
use abi::termios::{InputFlags, LocalFlags, OutputFlags};

const DEL: u8 = 0x7f;

/// How a byte moves the cursor.
#[derive(Clone, Copy)]
pub(super) struct ColumnMode {
    /// Control characters are two characters wide, as echoes are.
    shows_control: bool,
    /// Only the first byte of a character counts.
    utf8: bool,
}

impl LineDiscipline {
    /// Passes a program's output on to the screen, changed as the settings say.
    pub fn write_out(&mut self, bytes: &[u8], screen: &mut dyn FnMut(&[u8])) {
        let flags = self.termios.output();
        if flags.contains(OutputFlags::OPOST) && flags.intersects(OutputFlags::ONLCR | OutputFlags::OCRNL) {
            let is_special = |&byte: &u8| byte == b'\n' || byte == b'\r';
            for run in bytes.chunk_by(|a, b| !is_special(a) && !is_special(b)) {
                match run {
                    b"\n" if flags.contains(OutputFlags::ONLCR) => screen(b"\r\n"),
                    b"\r" if flags.contains(OutputFlags::OCRNL) => screen(b"\n"),
                    run => screen(run),
                }
            }
        } else {
            screen(bytes);
        }
        self.note_output(bytes);
    }

    /// Notes what a program wrote, so that the cursor's column is known.
    pub(super) fn note_output(&mut self, bytes: &[u8]) {
        let mode = ColumnMode { shows_control: false, ..self.column_mode() };
        // Only what follows the last line break can matter.
        let start = bytes.iter().rposition(|&b| b == b'\n' || b == b'\r').unwrap_or(0);
        for &byte in &bytes[start..] {
            self.column = column_after(self.column, byte, mode);
        }
    }

    /// Shows a typed byte, if what is typed is shown.
    pub(super) fn echo(&mut self, byte: u8, screen: &mut dyn FnMut(&[u8])) {
        if !self.edits(LocalFlags::ECHO) {
            return;
        }
        match byte {
            b'\n' => self.write_out(b"\n", screen),
            0..0x20 | DEL if byte != b'\t' && self.edits(LocalFlags::ECHOCTL) => {
                screen(&[b'^', byte ^ 0x40]);
                self.column += 2;
            }
            _ => {
                screen(&[byte]);
                self.column = column_after(self.column, byte, self.column_mode());
            }
        }
    }

    /// How echoes move the cursor.
    pub(super) fn column_mode(&self) -> ColumnMode {
        ColumnMode { shows_control: self.edits(LocalFlags::ECHOCTL), utf8: self.has(InputFlags::IUTF8) }
    }
}

/// Where the cursor is after `byte` was shown at `column`.
pub(super) fn column_after(column: usize, byte: u8, mode: ColumnMode) -> usize {
    match byte {
        b'\t' => (column | 7) + 1,
        b'\n' | b'\r' if !mode.shows_control => 0,
        0x08 if !mode.shows_control => column.saturating_sub(1),
        0..0x20 | DEL => column + if mode.shows_control { 2 } else { 0 },
        0x80..0xc0 if mode.utf8 => column,
        _ => column + 1,
    }
}
