//! Words: quotes, and what begins with `$` or a backquote.

use super::token::ends_word;
use super::{Error, Parser, Problem, Text};
use crate::syntax::{
    Action, End, Extent, Lack, List, Name, Operation, Parameter, Piece, Quoting, Special, Word, is_name,
};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Where text stands: what ends it, and what quotes mean in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// An ordinary word: ends at a blank or an operator.
    Plain,
    /// Within double quotes.
    Double,
    /// A here-document: ends with the text; double quotes are text.
    Here,
    /// Within `${...}`, which may itself be quoted.
    Brace(Quoting),
    /// Within `$((...))`: ends at the two parentheses.
    Arithmetic,
}

impl Style {
    /// What text in this style counts as.
    fn quoting(self) -> Quoting {
        match self {
            Style::Plain | Style::Brace(Quoting::Bare) => Quoting::Bare,
            _ => Quoting::Quoted,
        }
    }
}

impl Parser<'_> {
    /// A word of a command.
    pub(super) fn word(&mut self) -> Result<Word, Error> {
        self.pieces(Style::Plain)
    }

    /// The whole text as the body of a here-document.
    pub(super) fn here_word(&mut self) -> Result<Word, Error> {
        self.pieces(Style::Here)
    }

    /// Reads up to what ends this style, and over it unless it belongs to others.
    fn pieces(&mut self, style: Style) -> Result<Word, Error> {
        let mut word = Word::default();
        let quoting = style.quoting();
        // Open parentheses of an arithmetic expression.
        let mut open = 0usize;
        loop {
            let Some(byte) = self.byte() else {
                return match style {
                    Style::Plain => self.check_continuation().map(|()| word),
                    Style::Here => Ok(word),
                    Style::Double => Err(self.unfinished("a closing '\"'")),
                    Style::Brace(_) => Err(self.unfinished("a closing \"}\"")),
                    Style::Arithmetic => Err(self.unfinished("a closing \"))\"")),
                };
            };
            match (byte, style) {
                (_, Style::Plain) if ends_word(byte) => return Ok(word),
                (b'"', Style::Double) | (b'}', Style::Brace(_)) => {
                    self.at += 1;
                    return Ok(word);
                }
                (b')', Style::Arithmetic) if open == 0 => {
                    return match self.skip(b"))") {
                        true => Ok(word),
                        false => Err(self.error(Problem::Unexpected("\")\"".into()))),
                    };
                }
                (b'(' | b')', Style::Arithmetic) => {
                    open = if byte == b'(' { open + 1 } else { open - 1 };
                    self.literal_byte(&mut word, quoting);
                }
                (b'\'', Style::Plain | Style::Brace(Quoting::Bare)) => self.single_quoted(&mut word)?,
                (b'"', Style::Plain | Style::Brace(_)) => self.double_quoted(&mut word)?,
                (b'\\', _) => self.escaped(&mut word, style)?,
                (b'$', _) => self.dollar(&mut word, quoting)?,
                (b'`', _) => {
                    let list = self.deeper(Self::backquoted)?;
                    word.0.push(Piece::Command(list, quoting));
                }
                _ => self.literal_byte(&mut word, quoting),
            }
        }
    }

    fn literal_byte(&mut self, word: &mut Word, quoting: Quoting) {
        let end = (self.at + 1).min(self.text.len());
        word.push(&self.text[self.at..end], quoting);
        self.at = end;
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), Error> {
        let start = self.at + 1;
        let Some(len) = self.text[start..].iter().position(|byte| *byte == b'\'') else {
            return Err(self.unfinished("a closing \"'\""));
        };
        word.push(&self.text[start..start + len], Quoting::Quoted);
        self.at = start + len + 1;
        Ok(())
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), Error> {
        self.at += 1;
        let inside = self.deeper(|parser| parser.pieces(Style::Double))?;
        if inside.0.is_empty() {
            // Nothing, but quoted: an empty field.
            word.push(b"", Quoting::Quoted);
        }
        for piece in inside.0 {
            match piece {
                Piece::Literal(text, quoting) => word.push(&text, quoting),
                piece => word.0.push(piece),
            }
        }
        Ok(())
    }

    /// After a backslash.
    fn escaped(&mut self, word: &mut Word, style: Style) -> Result<(), Error> {
        self.at += 1;
        let Some(byte) = self.byte() else {
            if self.kind == Text::Growing {
                return Err(self.unfinished("what follows a \"\\\""));
            }
            word.push(b"\\", Quoting::Quoted);
            return Ok(());
        };
        let special = match style {
            Style::Plain | Style::Brace(Quoting::Bare) => true,
            Style::Here => matches!(byte, b'$' | b'`' | b'\\' | b'\n'),
            Style::Brace(Quoting::Quoted) => matches!(byte, b'$' | b'`' | b'\\' | b'\n' | b'"' | b'}'),
            Style::Double | Style::Arithmetic => matches!(byte, b'$' | b'`' | b'\\' | b'\n' | b'"'),
        };
        if !special {
            word.push(b"\\", Quoting::Quoted);
        } else if byte == b'\n' {
            self.at += 1;
        } else {
            self.literal_byte(word, Quoting::Quoted);
        }
        Ok(())
    }

    /// At a `$`.
    fn dollar(&mut self, word: &mut Word, quoting: Quoting) -> Result<(), Error> {
        self.at += 1;
        let piece = match self.byte() {
            Some(b'(') => self.deeper(|parser| parser.parenthesis(quoting))?,
            Some(b'{') => {
                self.at += 1;
                let parameter = self.deeper(|parser| parser.braces(quoting))?;
                Piece::Parameter(Box::new(parameter), quoting)
            }
            _ => match self.short_name() {
                Some(name) => {
                    Piece::Parameter(Box::new(Parameter { name, operation: Operation::Value }), quoting)
                }
                None => {
                    word.push(b"$", quoting);
                    return Ok(());
                }
            },
        };
        word.0.push(piece);
        Ok(())
    }

    /// `$(` or `$((`; the `$` is read. `$((` may also begin a subshell in a command: what is no
    /// expression to its end is tried as that.
    fn parenthesis(&mut self, quoting: Quoting) -> Result<Piece, Error> {
        let start = self.at;
        // The commands inside have a line of their own, as far as here-documents go.
        let outside = core::mem::take(&mut self.pending);
        if !self.no_expressions.contains(&start) && self.skip(b"((") {
            match self.pieces(Style::Arithmetic) {
                Ok(expression) => {
                    self.pending = outside;
                    return Ok(Piece::Arithmetic(expression, quoting));
                }
                Err(error) if error.is_unfinished() => return Err(error),
                // Remembered, or a nest of these would be read twice at each level.
                Err(_) => self.no_expressions.push(start),
            }
            self.pending.clear();
            self.peeked = None;
        }
        self.at = start + 1;
        let list = self.list_until_parenthesis()?;
        self.pending = outside;
        Ok(Piece::Command(list, quoting))
    }

    /// At a backquote.
    fn backquoted(&mut self) -> Result<List, Error> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.rest() {
                [b'`', ..] => break self.at += 1,
                [b'\\', byte @ (b'`' | b'\\' | b'$'), ..] => {
                    text.push(*byte);
                    self.at += 2;
                }
                [byte, ..] => {
                    text.push(*byte);
                    self.at += 1;
                }
                [] => return Err(self.unfinished("a closing \"`\"")),
            }
        }
        self.inner(&text).all()
    }

    /// A name as it stands after `$` without braces.
    fn short_name(&mut self) -> Option<Name> {
        let byte = self.byte()?;
        if let Some(special) = special(byte) {
            self.at += 1;
            return Some(Name::Special(special));
        }
        if byte.is_ascii_digit() {
            self.at += 1;
            return Some(Name::Positional(usize::from(byte - b'0')));
        }
        self.variable_name().map(Name::Variable)
    }

    fn variable_name(&mut self) -> Option<Vec<u8>> {
        let name_byte = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let name = &self.rest()[..self.rest().iter().take_while(name_byte).count()];
        is_name(name).then(|| {
            self.at += name.len();
            name.to_vec()
        })
    }

    /// A name as it stands in braces: numbers may be long.
    fn long_name(&mut self) -> Option<Name> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || self.byte() == Some(b'0') {
            return self.short_name();
        }
        let number = core::str::from_utf8(&self.rest()[..digits]).ok()?.parse().ok()?;
        self.at += digits;
        Some(Name::Positional(number))
    }

    /// After `${`.
    fn braces(&mut self, quoting: Quoting) -> Result<Parameter, Error> {
        // `${#}` is a count, `${#name}` a length, `${#-word}` a count again.
        let start = self.at;
        if self.skip(b"#") {
            if let Some(name) = self.long_name()
                && self.skip(b"}")
            {
                return Ok(Parameter { name, operation: Operation::Length });
            }
            self.at = start;
        }
        let Some(name) = self.long_name() else { return Err(self.bad_substitution()) };
        if self.skip(b"}") {
            return Ok(Parameter { name, operation: Operation::Value });
        }
        let operation = self.operation(quoting)?;
        Ok(Parameter { name, operation })
    }

    /// An operator within braces, and its word to the closing brace.
    fn operation(&mut self, quoting: Quoting) -> Result<Operation, Error> {
        let trims = [("##", End::Prefix), ("#", End::Prefix), ("%%", End::Suffix), ("%", End::Suffix)];
        for (sign, end) in trims {
            if self.skip(sign.as_bytes()) {
                let extent = if sign.len() == 2 { Extent::Longest } else { Extent::Shortest };
                // Quotes in a pattern count from here on, whatever stands around the parameter.
                let pattern = self.pieces(Style::Brace(Quoting::Bare))?;
                return Ok(Operation::Trim { end, extent, pattern });
            }
        }
        let lack = if self.skip(b":") { Lack::Empty } else { Lack::Unset };
        let action = match self.byte() {
            Some(b'-') => Action::Use,
            Some(b'=') => Action::Assign,
            Some(b'?') => Action::Fail,
            Some(b'+') => Action::Alternative,
            _ => return Err(self.bad_substitution()),
        };
        self.at += 1;
        let word = self.pieces(Style::Brace(quoting))?;
        Ok(Operation::Instead { lack, action, word })
    }

    fn bad_substitution(&self) -> Error {
        match self.byte() {
            None => self.unfinished("a closing \"}\""),
            Some(_) => self.error(Problem::BadSubstitution),
        }
    }
}

fn special(byte: u8) -> Option<Special> {
    Some(match byte {
        b'@' => Special::Each,
        b'*' => Special::All,
        b'#' => Special::Count,
        b'?' => Special::Status,
        b'$' => Special::Process,
        b'!' => Special::Background,
        b'0' => Special::Shell,
        b'-' => Special::Options,
        _ => return None,
    })
}
