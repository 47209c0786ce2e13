//! Fields in the making: text is appended, quoted or not, and what comes out of an unquoted expansion is
//! split where the characters of `IFS` are.

use crate::pattern::Unit;
use alloc::vec::Vec;

/// A field: its bytes, each with the knowledge whether it was quoted.
pub(crate) type Field = Vec<Unit>;

/// Whether expansions are split.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// They are, as in the arguments of a command.
    Fields,
    /// All is one text, as in an assignment.
    Never,
}

/// A row of fields, the last of them open.
pub(crate) struct Fields {
    split: Split,
    separators: Vec<u8>,
    done: Vec<Field>,
    open: Option<Field>,
    /// White space has just ended a field: one other separator after it belongs to it.
    after_white: bool,
}

impl Fields {
    pub(crate) fn new(split: Split, separators: Vec<u8>) -> Fields {
        Fields { split, separators, done: Vec::new(), open: None, after_white: false }
    }

    /// Appends text as it is. Even empty text makes a field.
    pub(crate) fn push(&mut self, text: &[u8], quoted: bool) {
        let units = text.iter().map(|byte| Unit { byte: *byte, quoted });
        self.open.get_or_insert_default().extend(units);
    }

    /// Appends what an unquoted expansion gave.
    pub(crate) fn push_split(&mut self, text: &[u8]) {
        if self.split == Split::Never {
            return self.push(text, false);
        }
        for byte in text {
            if !self.separators.contains(byte) {
                self.push(&[*byte], false);
                self.after_white = false;
            } else if matches!(byte, b' ' | b'\t' | b'\n') {
                self.after_white |= self.open.is_some();
                self.end_field();
            } else if self.open.is_some() {
                self.end_field();
            } else if self.after_white {
                self.after_white = false;
            } else {
                self.done.push(Field::new());
            }
        }
    }

    /// Ends the open field, if there is one.
    pub(crate) fn end_field(&mut self) {
        self.done.extend(self.open.take());
    }

    /// Ends a field between two arguments of `$@`; without splitting they are joined by a blank.
    pub(crate) fn between_arguments(&mut self) {
        match self.split {
            Split::Fields => self.end_field(),
            Split::Never => self.push(b" ", true),
        }
    }

    /// The first character of `IFS`: what `"$*"` joins with.
    pub(crate) fn joiner(&self) -> &[u8] {
        self.separators.get(..1).unwrap_or_default()
    }

    pub(crate) fn finish(mut self) -> Vec<Field> {
        self.end_field();
        self.done
    }
}
