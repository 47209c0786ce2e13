//! Walking the syntax tree: lists, conditions, loops.

use crate::command;
use crate::process;
use crate::shell::Shell;
use crate::traps;
use alloc::vec::Vec;
use rt::io::Reason;
use rt::sys::signal::Signal;
use sh::expand::{self, Failure};
use sh::pattern;
use sh::syntax::{Connector, Item, List, Pipeline, Place, Sense, Until, Word};

/// What this process does after a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It goes on.
    Return,
    /// It ends: so the command may be this process.
    Exit,
}

/// How a command left the row of commands that it was in. The status is in the shell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The next one comes.
    Next,
    /// This many loops end.
    Break(usize),
    /// This many loops end, but the last of them goes on with its next round.
    Continue(usize),
    /// The function or file ends.
    Return,
    /// The shell ends.
    Exit,
    /// All that was read ends, because it can't be done; so does a shell that nobody types at.
    Abandon,
}

/// Runs a list.
pub fn list(shell: &mut Shell, list: &List, after: After) -> Flow {
    for (index, item) in list.0.iter().enumerate() {
        let after = if index + 1 == list.0.len() { after } else { After::Return };
        let flow = match item.place {
            Place::Foreground => row(shell, item, after),
            Place::Background => {
                background(shell, item);
                Flow::Next
            }
        };
        if flow != Flow::Next {
            return flow;
        }
    }
    Flow::Next
}

fn background(shell: &mut Shell, item: &Item) {
    let interactive = shell.options.interactive;
    let started = process::fork(shell, |shell| {
        if interactive {
            // The keys of the terminal are for the foreground.
            let _ = rt::terminal::set_pgid(0, 0);
        } else {
            let _ = rt::signal::ignore(Signal::SIGINT);
            let _ = rt::signal::ignore(Signal::SIGQUIT);
        }
        if !interactive && let Ok(nothing) = rt::descriptor::open(c"/dev/null", rt::sys::raw::O_RDONLY, 0) {
            // If it can't be, the command reads on with the shell.
            let _ = rt::descriptor::rename(nothing, 0);
        }
        row(shell, item, After::Exit);
    });
    match started {
        Ok(pid) => {
            let number = shell.jobs.add(pid);
            shell.status = 0;
            if interactive {
                rt::eprintln!("[{number}] {pid}");
            }
        }
        Err(errno) => shell.fail(1, format_args!("fork: {}", Reason(errno))),
    }
}

/// Pipelines with `&&` and `||` between them.
fn row(shell: &mut Shell, item: &Item, after: After) -> Flow {
    let mut pipelines = core::iter::once((None, &item.first))
        .chain(item.rest.iter().map(|(connector, pipeline)| (Some(*connector), pipeline)))
        .peekable();
    while let Some((connector, pipeline)) = pipelines.next() {
        let wanted = match connector {
            None => true,
            Some(Connector::And) => shell.status == 0,
            Some(Connector::Or) => shell.status != 0,
        };
        if !wanted {
            continue;
        }
        let last = pipelines.peek().is_none();
        let flow = if last {
            self::pipeline(shell, pipeline, after)
        } else {
            condition(shell, |shell| self::pipeline(shell, pipeline, After::Return))
        };
        if flow != Flow::Next {
            return flow;
        }
        let flow = traps::run_pending(shell);
        if flow != Flow::Next {
            return flow;
        }
        let failed = shell.status != 0 && pipeline.status == Sense::Plain;
        if last && failed && shell.options.exit_on_error && shell.conditions == 0 {
            return Flow::Exit;
        }
    }
    Flow::Next
}

/// Runs what only decides something: a failure there ends nothing.
fn condition(shell: &mut Shell, work: impl FnOnce(&mut Shell) -> Flow) -> Flow {
    shell.conditions += 1;
    let flow = work(shell);
    shell.conditions -= 1;
    flow
}

fn pipeline(shell: &mut Shell, pipeline: &Pipeline, after: After) -> Flow {
    let run = |shell: &mut Shell, after| match &pipeline.commands[..] {
        [command] => command::run(shell, command, after),
        commands => {
            process::pipeline(shell, commands);
            Flow::Next
        }
    };
    match pipeline.status {
        Sense::Plain => run(shell, after),
        Sense::Inverted => {
            let flow = condition(shell, |shell| run(shell, After::Return));
            if flow == Flow::Next {
                shell.status = i32::from(shell.status == 0);
            }
            flow
        }
    }
}

/// `if`
pub fn conditional(
    shell: &mut Shell,
    branches: &[(List, List)],
    otherwise: Option<&List>,
    after: After,
) -> Flow {
    for (question, consequence) in branches {
        let flow = condition(shell, |shell| list(shell, question, After::Return));
        if flow != Flow::Next {
            return flow;
        }
        if shell.status == 0 {
            return list(shell, consequence, after);
        }
    }
    shell.status = 0;
    otherwise.map_or(Flow::Next, |otherwise| list(shell, otherwise, after))
}

/// `while` and `until`
pub fn repeated(shell: &mut Shell, until: Until, question: &List, body: &List) -> Flow {
    let mut status = 0;
    let flow = in_loop(shell, |shell| {
        let flow = condition(shell, |shell| list(shell, question, After::Return));
        if flow != Flow::Next {
            return Round::Left(flow);
        }
        if (shell.status == 0) == (until == Until::Success) {
            return Round::Over;
        }
        let flow = list(shell, body, After::Return);
        status = shell.status;
        Round::Left(flow)
    });
    if flow == Flow::Next {
        shell.status = status;
    }
    flow
}

/// `for`
pub fn for_each(
    shell: &mut Shell,
    name: &[u8],
    words: Option<&[Word]>,
    body: &List,
) -> Result<Flow, Failure> {
    let values: Vec<Vec<u8>> = match words {
        Some(words) => expand::fields(shell, words)?,
        None => shell.arguments.clone(),
    };
    shell.status = 0;
    let mut values = values.into_iter();
    let mut failure = None;
    let flow = in_loop(shell, |shell| {
        let Some(value) = values.next() else { return Round::Over };
        match shell.variables.set(name, &value) {
            Ok(()) => Round::Left(list(shell, body, After::Return)),
            Err(why) => {
                failure = Some(why);
                Round::Over
            }
        }
    });
    failure.map_or(Ok(flow), Err)
}

/// How a round of a loop ended.
enum Round {
    /// There was none.
    Over,
    /// In this way.
    Left(Flow),
}

/// Goes round until there is no more, or until somebody leaves the loop.
fn in_loop(shell: &mut Shell, mut round: impl FnMut(&mut Shell) -> Round) -> Flow {
    shell.loops += 1;
    let flow = loop {
        match round(shell) {
            Round::Over => break Flow::Next,
            Round::Left(Flow::Next | Flow::Continue(1)) => {}
            Round::Left(Flow::Break(1)) => break Flow::Next,
            Round::Left(Flow::Break(loops)) => break Flow::Break(loops - 1),
            Round::Left(Flow::Continue(loops)) => break Flow::Continue(loops - 1),
            Round::Left(flow) => break flow,
        }
    };
    shell.loops -= 1;
    flow
}

/// `case`
pub fn case(
    shell: &mut Shell,
    word: &Word,
    arms: &[(Vec<Word>, List)],
    after: After,
) -> Result<Flow, Failure> {
    let value = expand::text(shell, word)?;
    for (patterns, body) in arms {
        for pattern in patterns {
            let pattern = expand::pattern(shell, pattern)?;
            if pattern::matches(&pattern, &value) {
                shell.status = 0;
                return Ok(list(shell, body, after));
            }
        }
    }
    shell.status = 0;
    Ok(Flow::Next)
}
