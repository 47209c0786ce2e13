//! One command: redirections, assignments, and whether it is a builtin, a function or a program.

use crate::builtins::{self, Builtin, Kind as BuiltinKind};
use crate::process;
use crate::program;
use crate::redirect;
use crate::run::{self, After, Flow};
use crate::shell::{Shell, USAGE, report};
use alloc::rc::Rc;
use alloc::vec::Vec;
use rt::io::Text;
use sh::expand::{self, Failure};
use sh::syntax::{Assignment, Command, Kind, Redirect, Word};

/// How deep commands may run within commands, by way of functions, files, `eval` and nesting: the stack
/// of this program ends.
const DEEPEST: usize = 1000;

/// Runs a command.
pub fn run(shell: &mut Shell, command: &Command, after: After) -> Flow {
    if shell.depth == DEEPEST {
        shell.fail(USAGE, format_args!("commands call each other too deeply"));
        return Flow::Abandon;
    }
    shell.depth += 1;
    let flow = run_shallow(shell, command, after);
    shell.depth -= 1;
    flow
}

fn run_shallow(shell: &mut Shell, command: &Command, after: After) -> Flow {
    let done = match &command.kind {
        Kind::Simple { assignments, words } => simple(shell, assignments, words, &command.redirects, after),
        kind if command.redirects.is_empty() => compound(shell, kind, after),
        kind => redirect::apply(shell, &command.redirects).and_then(|saved| {
            let flow = compound(shell, kind, After::Return);
            redirect::undo(shell, saved);
            flow
        }),
    };
    done.unwrap_or_else(|failure| {
        shell.fail(USAGE, format_args!("{}", failure.0));
        Flow::Abandon
    })
}

fn compound(shell: &mut Shell, kind: &Kind, after: After) -> Result<Flow, Failure> {
    Ok(match kind {
        Kind::Group(list) => run::list(shell, list, after),
        Kind::Subshell(list) if after == After::Exit => {
            run::list(shell, list, After::Exit);
            Flow::Exit
        }
        Kind::Subshell(list) => {
            process::run(shell, |shell| {
                run::list(shell, list, After::Exit);
            });
            Flow::Next
        }
        Kind::If { branches, otherwise } => run::conditional(shell, branches, otherwise.as_ref(), after),
        Kind::Loop { until, condition, body } => run::repeated(shell, *until, condition, body),
        Kind::For { name, words, body } => run::for_each(shell, name, words.as_deref(), body)?,
        Kind::Case { word, arms } => run::case(shell, word, arms, after)?,
        Kind::Function { name, body } => {
            shell.functions.insert(name.clone(), body.clone());
            shell.status = 0;
            Flow::Next
        }
        Kind::Simple { assignments, words } => simple(shell, assignments, words, &[], after)?,
    })
}

/// What a name stands for.
enum Meaning {
    Builtin(&'static Builtin),
    Function(Rc<Command>),
    Program,
}

fn meaning(shell: &Shell, name: &[u8]) -> Meaning {
    let builtin = builtins::find(name);
    match (builtin, shell.functions.get(name)) {
        (Some(builtin), _) if builtin.kind == BuiltinKind::Special => Meaning::Builtin(builtin),
        (_, Some(function)) => Meaning::Function(function.clone()),
        (Some(builtin), None) => Meaning::Builtin(builtin),
        (None, None) => Meaning::Program,
    }
}

fn simple(
    shell: &mut Shell,
    assignments: &[Assignment],
    words: &[Word],
    redirects: &[Redirect],
    after: After,
) -> Result<Flow, Failure> {
    shell.substituted = None;
    let words = expand::fields(shell, words)?;
    if shell.options.trace {
        trace(&words);
    }
    let Some(name) = words.first() else {
        return nothing(shell, assignments, redirects);
    };
    match meaning(shell, name) {
        Meaning::Program if after == After::Exit && shell.traps.is_empty() => {
            program(shell, assignments, words, redirects);
            Ok(Flow::Exit)
        }
        Meaning::Program => {
            process::run(shell, |shell| program(shell, assignments, words, redirects));
            Ok(Flow::Next)
        }
        Meaning::Builtin(builtin) if builtin.kind == BuiltinKind::Special => {
            assign(shell, assignments)?;
            special(shell, builtin, &words, redirects)
        }
        Meaning::Builtin(builtin) => {
            around(shell, assignments, redirects, |shell| Ok((builtin.run)(shell, &words)))
        }
        Meaning::Function(body) => around(shell, assignments, redirects, |shell| call(shell, &body, words)),
    }
}

/// Redirections and assignments without a command.
fn nothing(shell: &mut Shell, assignments: &[Assignment], redirects: &[Redirect]) -> Result<Flow, Failure> {
    match redirect::apply(shell, redirects) {
        Ok(saved) => redirect::undo(shell, saved),
        Err(failure) => {
            shell.fail(1, format_args!("{}", failure.0));
            return Ok(Flow::Next);
        }
    }
    assign(shell, assignments)?;
    // A substitution in a value is a command, after all.
    shell.status = shell.substituted.unwrap_or(0);
    Ok(Flow::Next)
}

/// A builtin whose assignments stay. So do the redirections of `exec`.
fn special(
    shell: &mut Shell,
    builtin: &Builtin,
    words: &[Vec<u8>],
    redirects: &[Redirect],
) -> Result<Flow, Failure> {
    if words[0] == b"exec" {
        redirect::apply_for_good(shell, redirects)?;
        return Ok((builtin.run)(shell, words));
    }
    let saved = redirect::apply(shell, redirects)?;
    let flow = (builtin.run)(shell, words);
    redirect::undo(shell, saved);
    Ok(flow)
}

/// Does `work` with assignments and redirections that end with it.
fn around(
    shell: &mut Shell,
    assignments: &[Assignment],
    redirects: &[Redirect],
    work: impl FnOnce(&mut Shell) -> Result<Flow, Failure>,
) -> Result<Flow, Failure> {
    let saved = match redirect::apply(shell, redirects) {
        Ok(saved) => saved,
        Err(failure) => {
            shell.fail(1, format_args!("{}", failure.0));
            return Ok(Flow::Next);
        }
    };
    let before = shell.variables.save(assignments.iter().map(|assignment| &assignment.name[..]));
    let flow = assign(shell, assignments).and_then(|()| work(shell));
    shell.variables.restore(before);
    redirect::undo(shell, saved);
    flow
}

/// In a process that is only for this: becomes the program.
fn program(shell: &mut Shell, assignments: &[Assignment], words: Vec<Vec<u8>>, redirects: &[Redirect]) {
    let ready = redirect::apply_for_good(shell, redirects).and_then(|()| {
        assign(shell, assignments)?;
        assignments.iter().for_each(|assignment| shell.variables.export(&assignment.name));
        Ok(())
    });
    match ready {
        Ok(()) => program::become_program(shell, words),
        Err(failure) => shell.fail(1, format_args!("{}", failure.0)),
    }
}

fn assign(shell: &mut Shell, assignments: &[Assignment]) -> Result<(), Failure> {
    for assignment in assignments {
        let value = expand::text(shell, &assignment.value)?;
        if shell.options.trace {
            trace(&[[&assignment.name[..], &value].join(&b'=')]);
        }
        shell.variables.set(&assignment.name, &value)?;
    }
    Ok(())
}

/// Calls a function.
fn call(shell: &mut Shell, body: &Command, mut words: Vec<Vec<u8>>) -> Result<Flow, Failure> {
    words.remove(0);
    let arguments = core::mem::replace(&mut shell.arguments, words);
    let loops = core::mem::take(&mut shell.loops);
    shell.calls += 1;
    let flow = run(shell, body, After::Return);
    shell.calls -= 1;
    shell.loops = loops;
    shell.arguments = arguments;
    Ok(if flow == Flow::Return { Flow::Next } else { flow })
}

fn trace(words: &[Vec<u8>]) {
    if !words.is_empty() {
        rt::eprintln!("+ {}", Text(&words.join(&b' ')));
    }
}

/// Runs words as a command that is no function: `command` and `exec` begin so.
pub fn run_words(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some(name) = words.first() else {
        shell.status = 0;
        return Flow::Next;
    };
    match builtins::find(name) {
        Some(builtin) => (builtin.run)(shell, words),
        None => {
            process::run(shell, |shell| program::become_program(shell, words.to_vec()));
            Flow::Next
        }
    }
}

/// Says that a builtin was called in a wrong way.
pub fn misuse(shell: &mut Shell, words: &[Vec<u8>], why: &str) -> Flow {
    report(format_args!("{}: {why}", Text(&words[0])));
    shell.status = USAGE;
    Flow::Next
}
