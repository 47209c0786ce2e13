//! Expansion: from a word of the syntax tree to the fields that it stands for.

use crate::arithmetic;
use crate::fields::{Field, Fields, Split};
use crate::glob;
use crate::pattern::{self, Unit};
use crate::syntax::{
    Action, End, Extent, Lack, List, Name, Operation, Parameter, Piece, Quoting, Special, Word,
};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Separators of fields where `IFS` is not set.
const DEFAULT_SEPARATORS: &[u8] = b" \t\n";

/// What expansion asks the shell for.
pub trait Environment {
    /// The value of a variable, if it is set.
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>>;
    /// Sets a variable.
    fn assign(&mut self, name: &[u8], value: &[u8]) -> Result<(), Failure>;
    /// `$1` and so on.
    fn arguments(&self) -> &[Vec<u8>];
    /// The value of a parameter that is neither an argument nor a variable; never `$@`, `$*` or `$#`.
    fn special(&self, special: Special) -> Option<Vec<u8>>;
    /// What happens with a parameter that is not set.
    fn unset(&self) -> Unset;
    /// Runs commands and returns what they print.
    fn output(&mut self, list: &List) -> Result<Vec<u8>, Failure>;
    /// The names in a directory; none if it can't be read.
    fn entries(&mut self, directory: &[u8]) -> Vec<Vec<u8>>;
    /// Whether there is such a file.
    fn exists(&mut self, path: &[u8]) -> bool;
}

/// What happens with a parameter that is not set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unset {
    /// It is empty.
    Empty,
    /// It is an error: `set -u`.
    Fails,
}

/// Why a word has no value, as the user reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(pub String);

impl Failure {
    /// `name: why`
    pub fn of(name: &[u8], why: impl fmt::Display) -> Failure {
        Failure(alloc::format!("{}: {why}", String::from_utf8_lossy(name)))
    }
}

/// The fields of words: split, with file names for patterns.
pub fn fields(environment: &mut dyn Environment, words: &[Word]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all = Vec::new();
    for word in words {
        for field in expand(environment, word, Split::Fields)? {
            let names = match pattern::is_pattern(&field) {
                true => glob::expand(environment, &field),
                false => Vec::new(),
            };
            if names.is_empty() { all.push(pattern::text(&field)) } else { all.extend(names) }
        }
    }
    Ok(all)
}

/// A word as one text: neither split nor a pattern.
pub fn text(environment: &mut dyn Environment, word: &Word) -> Result<Vec<u8>, Failure> {
    Ok(pattern::text(&pattern(environment, word)?))
}

/// A word as a pattern for `case`.
pub fn pattern(environment: &mut dyn Environment, word: &Word) -> Result<Vec<Unit>, Failure> {
    Ok(expand(environment, word, Split::Never)?.concat())
}

fn expand(environment: &mut dyn Environment, word: &Word, split: Split) -> Result<Vec<Field>, Failure> {
    let separators = environment.variable(b"IFS").unwrap_or(DEFAULT_SEPARATORS.into());
    let mut expansion = Expansion { environment, fields: Fields::new(split, separators) };
    expansion.word(word, Source::Text)?;
    Ok(expansion.fields.finish())
}

/// Where literal text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// In the word itself.
    Text,
    /// In the braces of a parameter, as its value: it is split like one.
    Value,
}

/// The expansion of one word.
struct Expansion<'a> {
    environment: &'a mut dyn Environment,
    fields: Fields,
}

impl Expansion<'_> {
    fn word(&mut self, word: &Word, source: Source) -> Result<(), Failure> {
        let rest = match self.home(word)? {
            Some(rest) => {
                self.fields.push(rest, false);
                &word.0[1..]
            }
            None => &word.0[..],
        };
        for piece in rest {
            match piece {
                Piece::Literal(text, Quoting::Bare) if source == Source::Value => {
                    self.fields.push_split(text)
                }
                Piece::Literal(text, quoting) => self.fields.push(text, *quoting == Quoting::Quoted),
                Piece::Parameter(parameter, quoting) => self.parameter(parameter, *quoting)?,
                Piece::Command(list, quoting) => {
                    let mut output = self.environment.output(list)?;
                    while output.last() == Some(&b'\n') {
                        output.pop();
                    }
                    self.value(&output, *quoting);
                }
                Piece::Arithmetic(expression, quoting) => {
                    let expression = text(self.environment, expression)?;
                    let value = arithmetic::evaluate(self.environment, &expression)?;
                    self.value(alloc::format!("{value}").as_bytes(), *quoting);
                }
            }
        }
        Ok(())
    }

    /// `~` at the start of a word, alone or before a slash: pushes the home directory and returns what
    /// follows it in the first piece.
    fn home<'w>(&mut self, word: &'w Word) -> Result<Option<&'w [u8]>, Failure> {
        let Some(Piece::Literal(text, Quoting::Bare)) = word.0.first() else { return Ok(None) };
        let Some(rest) = text.strip_prefix(b"~") else { return Ok(None) };
        if !(rest.starts_with(b"/") || rest.is_empty() && word.0.len() == 1) {
            return Ok(None);
        }
        let Some(home) = self.environment.variable(b"HOME") else { return Ok(None) };
        self.fields.push(&home, true);
        Ok(Some(rest))
    }

    /// Appends the result of an expansion.
    fn value(&mut self, value: &[u8], quoting: Quoting) {
        match quoting {
            Quoting::Quoted => self.fields.push(value, true),
            Quoting::Bare => self.fields.push_split(value),
        }
    }

    fn parameter(&mut self, parameter: &Parameter, quoting: Quoting) -> Result<(), Failure> {
        let set = self.is_set(&parameter.name);
        match &parameter.operation {
            Operation::Value if set => self.current(&parameter.name, quoting),
            Operation::Value => self.check_unset(&parameter.name)?,
            Operation::Length => {
                if !set {
                    self.check_unset(&parameter.name)?;
                }
                let len = self.text_of(&parameter.name).len();
                self.value(alloc::format!("{len}").as_bytes(), quoting);
                return Ok(());
            }
            Operation::Instead { lack, action, word } => {
                let empty = *lack == Lack::Empty && self.text_of(&parameter.name).is_empty();
                self.instead(&parameter.name, !set || empty, *action, word, quoting)?;
            }
            Operation::Trim { end, extent, pattern } => {
                if !set {
                    self.check_unset(&parameter.name)?;
                }
                let pattern = self::pattern(self.environment, pattern)?;
                let value = self.text_of(&parameter.name);
                self.value(trim(&value, &pattern, *end, *extent), quoting);
            }
        }
        // A quoted parameter is a field even if it is empty; `"$@"` without arguments is none.
        if quoting == Quoting::Quoted && parameter.name != Name::Special(Special::Each) {
            self.fields.push(b"", true);
        }
        Ok(())
    }

    fn instead(
        &mut self,
        name: &Name,
        lacking: bool,
        action: Action,
        word: &Word,
        quoting: Quoting,
    ) -> Result<(), Failure> {
        match (action, lacking) {
            (Action::Alternative, true) => Ok(()),
            (Action::Alternative, false) | (Action::Use, true) => self.word(word, Source::Value),
            (Action::Assign, true) => {
                let Name::Variable(variable) = name else {
                    return Err(Failure::of(&describe(name), "cannot be assigned in this way"));
                };
                let value = text(self.environment, word)?;
                self.environment.assign(variable, &value)?;
                self.value(&value, quoting);
                Ok(())
            }
            (Action::Fail, true) => {
                let message = text(self.environment, word)?;
                let message: &[u8] = if message.is_empty() { b"parameter not set" } else { &message };
                Err(Failure::of(&describe(name), String::from_utf8_lossy(message)))
            }
            (_, false) => {
                self.current(name, quoting);
                Ok(())
            }
        }
    }

    /// Appends a parameter's value.
    fn current(&mut self, name: &Name, quoting: Quoting) {
        match name {
            Name::Special(Special::All) if quoting == Quoting::Quoted => {
                let joined = self.environment.arguments().join(self.fields.joiner());
                self.fields.push(&joined, true);
            }
            Name::Special(Special::Each | Special::All) => {
                let arguments = self.environment.arguments().to_vec();
                for (index, argument) in arguments.iter().enumerate() {
                    if index > 0 {
                        self.fields.between_arguments();
                    }
                    self.value(argument, quoting);
                }
            }
            _ => {
                let value = self.text_of(name);
                self.value(&value, quoting);
            }
        }
    }

    fn is_set(&self, name: &Name) -> bool {
        match name {
            Name::Variable(name) => self.environment.variable(name).is_some(),
            Name::Positional(number) => *number <= self.environment.arguments().len(),
            Name::Special(Special::Each | Special::All) => !self.environment.arguments().is_empty(),
            Name::Special(Special::Count) => true,
            Name::Special(special) => self.environment.special(*special).is_some(),
        }
    }

    /// The value as one text, empty if it is not set.
    fn text_of(&self, name: &Name) -> Vec<u8> {
        let arguments = self.environment.arguments();
        match name {
            Name::Variable(name) => self.environment.variable(name).unwrap_or_default(),
            Name::Positional(number) => arguments.get(number.wrapping_sub(1)).cloned().unwrap_or_default(),
            Name::Special(Special::Each | Special::All) => arguments.join(&b' '),
            Name::Special(Special::Count) => alloc::format!("{}", arguments.len()).into_bytes(),
            Name::Special(special) => self.environment.special(*special).unwrap_or_default(),
        }
    }

    /// `set -u`; `$@` and `$*` are exempt.
    fn check_unset(&self, name: &Name) -> Result<(), Failure> {
        let exempt = matches!(name, Name::Special(Special::Each | Special::All));
        if exempt || self.environment.unset() == Unset::Empty {
            return Ok(());
        }
        Err(Failure::of(&describe(name), "parameter not set"))
    }
}

/// A value without one of its ends.
fn trim<'a>(value: &'a [u8], pattern: &[Unit], end: End, extent: Extent) -> &'a [u8] {
    let part = |len: usize| match end {
        End::Prefix => (&value[..len], &value[len..]),
        End::Suffix => (&value[value.len() - len..], &value[..value.len() - len]),
    };
    let fits = |len: &usize| pattern::matches(pattern, part(*len).0);
    let len = match extent {
        Extent::Shortest => (0..=value.len()).find(fits),
        Extent::Longest => (0..=value.len()).rev().find(fits),
    };
    len.map_or(value, |len| part(len).1)
}

/// A parameter's name as messages show it.
fn describe(name: &Name) -> Vec<u8> {
    match name {
        Name::Variable(name) => name.clone(),
        Name::Positional(number) => alloc::format!("{number}").into_bytes(),
        Name::Special(special) => Vec::from(match special {
            Special::Each => "@",
            Special::All => "*",
            Special::Count => "#",
            Special::Status => "?",
            Special::Process => "$",
            Special::Background => "!",
            Special::Shell => "0",
            Special::Options => "-",
        }),
    }
}
