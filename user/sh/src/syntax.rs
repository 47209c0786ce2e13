//! The syntax tree.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::OnceCell;

/// Commands one after the other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct List(pub Vec<Item>);

/// A row of pipelines with `&&` and `||` between them, and whether the shell waits for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others, each with what stands before it.
    pub rest: Vec<(Connector, Pipeline)>,
    /// Where it runs.
    pub place: Place,
}

/// Where a row of pipelines runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Here: the next item begins when it has ended.
    Foreground,
    /// In a process of its own: `&`.
    Background,
}

/// What stands between two pipelines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connector {
    /// `&&`: the next one runs if this one succeeded.
    And,
    /// `||`: the next one runs if this one failed.
    Or,
}

/// Commands, each reading what the one before it writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pipeline {
    /// How many `!` stand before it.
    pub status: Sense,
    /// At least one command.
    pub commands: Vec<Command>,
}

/// What becomes of a pipeline's status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sense {
    /// It stays.
    Plain,
    /// `!`: success and failure change places.
    Inverted,
}

/// A command and its redirections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What is run.
    pub kind: Kind,
    /// In the order in which they apply.
    pub redirects: Vec<Redirect>,
}

/// The kinds of commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Assignments, then a program and its arguments; either may be missing.
    Simple {
        /// `NAME=value` before the program's name.
        assignments: Vec<Assignment>,
        /// The program's name and its arguments.
        words: Vec<Word>,
    },
    /// `{ list; }`
    Group(List),
    /// `( list )`
    Subshell(List),
    /// `if`
    If {
        /// Condition and consequence of `if` and of each `elif`.
        branches: Vec<(List, List)>,
        /// `else`
        otherwise: Option<List>,
    },
    /// `while` and `until`
    Loop {
        /// Which of the two.
        until: Until,
        /// What decides.
        condition: List,
        /// What is repeated.
        body: List,
    },
    /// `for`
    For {
        /// The variable.
        name: Vec<u8>,
        /// Its values; the arguments of the shell when `in` is missing.
        words: Option<Vec<Word>>,
        /// What is repeated.
        body: List,
    },
    /// `case`
    Case {
        /// What is compared.
        word: Word,
        /// The patterns, and what is done for the first that matches.
        arms: Vec<(Vec<Word>, List)>,
    },
    /// `name() command`
    Function {
        /// Its name.
        name: Vec<u8>,
        /// What it does.
        body: Rc<Command>,
    },
}

/// When a loop ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// `while`: at the first failure.
    Failure,
    /// `until`: at the first success.
    Success,
}

/// `NAME=value`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// The variable.
    pub name: Vec<u8>,
    /// Its new value.
    pub value: Word,
}

/// A redirection of one descriptor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// The descriptor.
    pub descriptor: i32,
    /// What it becomes.
    pub target: Target,
}

/// What a redirection leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// `<`
    Read(Word),
    /// `>`, and `>|`, which is the same where nothing forbids to overwrite
    Write(Word),
    /// `>>`
    Append(Word),
    /// `<>`
    ReadWrite(Word),
    /// `<&` and `>&`: another descriptor, or `-` to close
    Duplicate(Word),
    /// `<<`: this text. It stands after the line of the redirection, so the parser fills it in later.
    Here(Rc<OnceCell<Word>>),
}

/// A word before expansion.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Word(pub Vec<Piece>);

/// A part of a word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Text that stands for itself.
    Literal(Vec<u8>, Quoting),
    /// `$name`, `${name...}`
    Parameter(Box<Parameter>, Quoting),
    /// `$(list)` and `` `list` ``
    Command(List, Quoting),
    /// `$((expression))`
    Arithmetic(Word, Quoting),
}

/// Whether a part of a word was quoted: then it is neither split into fields nor a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quoting {
    /// It was not.
    Bare,
    /// It was, in any of the three ways.
    Quoted,
}

/// A parameter and what is made of its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Which one.
    pub name: Name,
    /// What is made of it.
    pub operation: Operation,
}

/// The name of a parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    /// A variable.
    Variable(Vec<u8>),
    /// `$1` and so on.
    Positional(usize),
    /// One of those with a sign for a name.
    Special(Special),
}

/// Parameters that the shell sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Special {
    /// `$@`
    Each,
    /// `$*`
    All,
    /// `$#`
    Count,
    /// `$?`
    Status,
    /// `$$`
    Process,
    /// `$!`
    Background,
    /// `$0`
    Shell,
    /// `$-`
    Options,
}

/// What is made of a parameter's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Nothing.
    Value,
    /// `${#name}`: its length.
    Length,
    /// `${name-word}` and its kin: something else when there is no value.
    Instead {
        /// When.
        lack: Lack,
        /// What happens then; for `+`, if not then.
        action: Action,
        /// The other value, or a message.
        word: Word,
    },
    /// `${name%pattern}` and its kin: the value without one of its ends.
    Trim {
        /// Which end.
        end: End,
        /// How much of it.
        extent: Extent,
        /// What that end must look like.
        pattern: Word,
    },
}

/// When a parameter counts as lacking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lack {
    /// When it is not set.
    Unset,
    /// With a colon: when it is empty, too.
    Empty,
}

/// What happens when a parameter is lacking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// `-`: the word is used.
    Use,
    /// `=`: the word is assigned and used.
    Assign,
    /// `?`: the word is an error message.
    Fail,
    /// `+`: nothing; the word is used when it is *not* lacking.
    Alternative,
}

/// An end of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// `#`
    Prefix,
    /// `%`
    Suffix,
}

/// How much a pattern takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// As little as matches.
    Shortest,
    /// As much as matches.
    Longest,
}

/// Whether `text` can name a variable.
pub fn is_name(text: &[u8]) -> bool {
    let starts = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    text.first().is_some_and(starts) && text.iter().all(|byte| starts(byte) || byte.is_ascii_digit())
}

impl Word {
    /// The text of a word that is one bare literal, as reserved words and names must be.
    pub fn bare(&self) -> Option<&[u8]> {
        match &self.0[..] {
            [Piece::Literal(text, Quoting::Bare)] => Some(text),
            _ => None,
        }
    }

    /// Appends literal text, joined with literal text before it.
    pub(crate) fn push(&mut self, text: &[u8], quoting: Quoting) {
        match self.0.last_mut() {
            Some(Piece::Literal(before, same)) if *same == quoting => before.extend_from_slice(text),
            _ => self.0.push(Piece::Literal(text.to_vec(), quoting)),
        }
    }
}
