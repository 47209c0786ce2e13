//! The parser: from text to [`syntax`]. `commands` has the grammar, `token` cuts text
//! into tokens, `word` reads one word with its quotes and expansions. All three are one state, because
//! the language has no tokens apart from its grammar: a word may hold a whole list of commands.

mod commands;
mod error;
mod here;
mod token;
mod word;

pub use error::{Error, Problem};

use crate::syntax::{List, Word};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::OnceCell;
use token::Token;

/// How deep commands and expansions may lie in each other. The parser and those who walk its trees
/// are recursive, and a stack ends.
const DEEPEST: usize = 64;

/// Whether what was given is all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Text {
    /// The text is whole.
    Whole,
    /// More lines may follow: what isn't finished at the end is [`Problem::Unfinished`], a
    /// here-document without its last line included.
    Growing,
}

/// Reads commands from a text.
pub struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// The line on which the text begins.
    first_line: usize,
    kind: Text,
    peeked: Option<Token>,
    /// Here-documents of this line, whose text comes after it.
    pending: Vec<Pending>,
    depth: usize,
    /// Where `$((` is known to begin no expression.
    no_expressions: Vec<usize>,
}

/// A here-document that was announced.
struct Pending {
    delimiter: Vec<u8>,
    kind: here::Kind,
    place: Rc<OnceCell<Word>>,
}

impl<'a> Parser<'a> {
    /// A parser of `text`.
    pub fn new(text: &'a [u8], kind: Text) -> Parser<'a> {
        Parser {
            text,
            at: 0,
            first_line: 1,
            kind,
            peeked: None,
            pending: Vec::new(),
            depth: 0,
            no_expressions: Vec::new(),
        }
    }

    /// The commands of the next line, or of the lines that belong together; `None` after the last.
    pub fn next_line(&mut self) -> Result<Option<List>, Error> {
        self.line()
    }

    /// Whether nothing but blank lines follows what was read.
    pub fn is_done(&self) -> bool {
        self.peeked.as_ref().is_none_or(|token| *token == Token::End) && self.rest().trim_ascii().is_empty()
    }

    /// A parser of a text within this one's.
    fn inner<'b>(&self, text: &'b [u8]) -> Parser<'b> {
        let (first_line, depth) = (self.line_number(), self.depth);
        Parser { first_line, depth, ..Parser::new(text, Text::Whole) }
    }

    fn line_number(&self) -> usize {
        let read = &self.text[..self.at.min(self.text.len())];
        self.first_line + read.iter().filter(|byte| **byte == b'\n').count()
    }

    fn error(&self, problem: Problem) -> Error {
        Error { line: self.line_number(), problem }
    }

    /// Something is missing at the end of the text.
    fn unfinished(&self, what: &'static str) -> Error {
        self.error(Problem::Unfinished(what))
    }

    /// Does `work` one level deeper.
    fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == DEEPEST {
            return Err(self.error(Problem::TooDeep));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over `prefix` if it comes next.
    fn skip(&mut self, prefix: &[u8]) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }
}
