//! Commands that the shell does itself, as they change it or come too often for a process.

mod flow;
mod jobs;
mod state;
mod text;

use crate::condition;
use crate::run::Flow;
use crate::shell::Shell;
use alloc::vec::Vec;

/// A builtin: it is given all words, its name first, and sets the status.
pub struct Builtin {
    name: &'static [u8],
    /// Which of POSIX's two kinds it is.
    pub kind: Kind,
    /// What it does.
    pub run: fn(&mut Shell, &[Vec<u8>]) -> Flow,
}

/// The two kinds of builtins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Found before functions; assignments in front of it stay, and its errors end a script.
    Special,
    /// Like any command.
    Regular,
}

macro_rules! table {
    ($($name:literal $kind:ident $run:path,)*) => {
        &[$(Builtin { name: $name, kind: Kind::$kind, run: $run },)*]
    };
}

static TABLE: &[Builtin] = table! {
    b":" Special text::succeed,
    b"." Special flow::source,
    b"break" Special flow::leave_loops,
    b"continue" Special flow::next_round,
    b"eval" Special flow::eval,
    b"exec" Special flow::exec,
    b"exit" Special flow::exit,
    b"return" Special flow::leave_function,
    b"export" Special state::export,
    b"readonly" Special state::readonly,
    b"set" Special state::set,
    b"shift" Special state::shift,
    b"trap" Special jobs::trap,
    b"unset" Special state::unset,
    b"cd" Regular state::cd,
    b"pwd" Regular state::pwd,
    b"umask" Regular state::umask,
    b"jobs" Regular jobs::jobs,
    b"kill" Regular jobs::kill,
    b"wait" Regular jobs::wait,
    b"command" Regular flow::command,
    b"type" Regular flow::kind_of,
    b"true" Regular text::succeed,
    b"false" Regular text::fail,
    b"echo" Regular text::echo,
    b"read" Regular text::read,
    b"test" Regular condition::test,
    b"[" Regular condition::test,
};

/// The builtin with this name.
pub fn find(name: &[u8]) -> Option<&'static Builtin> {
    TABLE.iter().find(|builtin| builtin.name == name)
}
