//! What can be wrong with a text.

use alloc::string::String;
use core::fmt;

/// A text that is no command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// This does not belong here.
    Unexpected(String),
    /// This is missing at the end of the text; with more lines it may be right.
    Unfinished(&'static str),
    /// `${...}` that is none.
    BadSubstitution,
    /// Commands within commands, deeper than anybody writes them.
    TooDeep,
}

impl Error {
    /// Whether more lines can make it right.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.problem, Problem::Unfinished(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.problem {
            Problem::Unexpected(what) => write!(f, "syntax error: unexpected {what}"),
            Problem::Unfinished(what) => write!(f, "syntax error: {what} is missing at the end"),
            Problem::BadSubstitution => f.write_str("bad substitution"),
            Problem::TooDeep => f.write_str("syntax error: nested too deeply"),
        }
    }
}
