//! Here-documents: text that stands after the line that asks for it.

use super::{Error, Parser, Text};
use crate::syntax::{Piece, Quoting, Target, Word};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::OnceCell;

/// How the text is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Bare: `$` and backquotes in it work. Quoted, as any part of the delimiter was: they are text.
    quoting: Quoting,
    tabs: Tabs,
}

/// What happens to tabs at the start of its lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tabs {
    /// `<<`: they stay.
    Kept,
    /// `<<-`: they go, those of the delimiter's line too.
    Removed,
}

impl Parser<'_> {
    /// Notes a here-document that ends with `word`; its text is read when this line is done.
    pub(super) fn announce(&mut self, word: &Word, tabs: Tabs) -> Target {
        let bare = |piece: &Piece| matches!(piece, Piece::Literal(_, Quoting::Bare));
        let quoting = if word.0.iter().all(bare) { Quoting::Bare } else { Quoting::Quoted };
        let delimiter = word.0.iter().flat_map(|piece| match piece {
            Piece::Literal(text, _) => text.clone(),
            // The delimiter is not expanded; who writes a `$` there without quotes gets this.
            _ => Vec::from(b"$"),
        });
        let place = Rc::new(OnceCell::new());
        let kind = Kind { quoting, tabs };
        self.pending.push(super::Pending { delimiter: delimiter.collect(), kind, place: place.clone() });
        Target::Here(place)
    }

    /// Reads the texts that the line before this place has announced.
    pub(super) fn read_here_documents(&mut self) -> Result<(), Error> {
        for document in core::mem::take(&mut self.pending) {
            let text = self.lines_before(&document.delimiter, document.kind.tabs)?;
            let word = match document.kind.quoting {
                Quoting::Quoted => Word(Vec::from([Piece::Literal(text, Quoting::Quoted)])),
                Quoting::Bare => self.inner(&text).here_word()?,
            };
            // Each place is announced once.
            let _ = document.place.set(word);
        }
        Ok(())
    }

    /// The lines up to one that is `delimiter`, or up to the end.
    fn lines_before(&mut self, delimiter: &[u8], tabs: Tabs) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        while !self.rest().is_empty() {
            let rest = self.rest();
            let len = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |newline| newline + 1);
            let mut line = &rest[..len];
            self.at += len;
            while tabs == Tabs::Removed && line.first() == Some(&b'\t') {
                line = &line[1..];
            }
            if line.strip_suffix(b"\n").unwrap_or(line) == delimiter {
                return Ok(text);
            }
            text.extend_from_slice(line);
        }
        match self.kind {
            Text::Growing => Err(self.unfinished("the end of a here-document")),
            Text::Whole => Ok(text),
        }
    }
}
