//! Tokens: operators, words, ends of lines.

use super::{Error, Parser, Text};
use crate::syntax::Word;
use alloc::string::String;

/// A token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    Word(Word),
    Operator(&'static str),
    /// Digits right before `<` or `>`: the descriptor to redirect.
    Descriptor(i32),
    Newline,
    End,
}

/// Longer ones first: the first that fits is taken.
const OPERATORS: [&str; 17] =
    ["<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", "&", "|", ";", "<", ">", "(", ")"];

/// Whether an unquoted byte ends a word.
pub(super) fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'|' | b'&' | b';' | b'<' | b'>' | b'(' | b')')
}

impl Token {
    /// As an error message names it.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Word(word) => match word.bare() {
                Some(text) => alloc::format!("\"{}\"", text.escape_ascii()),
                None => "word".into(),
            },
            Token::Operator(operator) => alloc::format!("\"{operator}\""),
            Token::Descriptor(number) => alloc::format!("\"{number}\""),
            Token::Newline => "newline".into(),
            Token::End => "end of text".into(),
        }
    }

    /// Whether it is this operator.
    pub(super) fn is(&self, operator: &str) -> bool {
        *self == Token::Operator(OPERATORS.iter().find(|known| **known == operator).unwrap_or(&""))
    }

    /// The text of a word without quotes.
    pub(super) fn bare(&self) -> Option<&[u8]> {
        match self {
            Token::Word(word) => word.bare(),
            _ => None,
        }
    }
}

impl Parser<'_> {
    /// The next token, which stays the next one.
    pub(super) fn peek(&mut self) -> Result<&Token, Error> {
        if self.peeked.is_none() {
            self.peeked = Some(self.read_token()?);
        }
        Ok(self.peeked.get_or_insert(Token::End))
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, Error> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.read_token(),
        }
    }

    /// Steps over `operator` if it comes next.
    pub(super) fn take(&mut self, operator: &str) -> Result<bool, Error> {
        let found = self.peek()?.is(operator);
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    /// An error that names the token that came, or, at the end, what was wanted.
    pub(super) fn unexpected<T>(&mut self, wanted: &'static str) -> Result<T, Error> {
        let token = self.peek()?.clone();
        Err(match token {
            Token::End => self.unfinished(wanted),
            token => self.error(super::Problem::Unexpected(token.describe())),
        })
    }

    fn read_token(&mut self) -> Result<Token, Error> {
        self.skip_blanks();
        let Some(byte) = self.byte() else {
            self.check_continuation()?;
            self.read_here_documents()?;
            return Ok(Token::End);
        };
        if byte == b'\n' {
            self.at += 1;
            self.read_here_documents()?;
            return Ok(Token::Newline);
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| self.skip(operator.as_bytes())) {
            return Ok(Token::Operator(operator));
        }
        if let Some(descriptor) = self.descriptor() {
            return Ok(Token::Descriptor(descriptor));
        }
        self.word().map(Token::Word)
    }

    /// Blanks, lines that go on, a comment.
    fn skip_blanks(&mut self) {
        while self.skip(b" ") || self.skip(b"\t") || self.skip(b"\\\n") {}
        if self.byte() == Some(b'#') {
            let len = self.rest().iter().position(|byte| *byte == b'\n');
            self.at += len.unwrap_or(self.rest().len());
        }
    }

    /// At the end of the text: a backslash at the end of its last line asks for another.
    pub(super) fn check_continuation(&self) -> Result<(), Error> {
        if self.kind == Text::Growing && self.text.ends_with(b"\\\n") {
            return Err(self.unfinished("the rest of a line"));
        }
        Ok(())
    }

    /// One digit right before a redirection.
    fn descriptor(&mut self) -> Option<i32> {
        match self.rest() {
            [digit @ b'0'..=b'9', b'<' | b'>', ..] => {
                self.at += 1;
                Some(i32::from(digit - b'0'))
            }
            _ => None,
        }
    }
}
