//! Redirections: made for a command, and undone after it.

use crate::process;
use crate::shell::{Shell, c_string};
use alloc::vec::Vec;
use rt::descriptor::{self, Exec};
use rt::io::{Reason, Text};
use rt::sys::{Errno, raw};
use sh::expand::{self, Failure};
use sh::syntax::{Redirect, Target, Word};

/// Where copies of descriptors are kept while others stand in their place; a command can name none of
/// these.
const FIRST_COPY: i32 = 10;

/// Descriptors as they were before: each with its copy, or with none if it was closed.
pub struct Saved(Vec<(i32, Option<i32>)>);

/// Makes redirections that can be undone. After an error nothing is left of them.
pub fn apply(shell: &mut Shell, redirects: &[Redirect]) -> Result<Saved, Failure> {
    let mut saved = Saved(Vec::new());
    for redirect in redirects {
        let copy = FIRST_COPY + shell.kept;
        let kept = descriptor::duplicate(redirect.descriptor, copy, Exec::Closes).is_ok();
        if kept {
            shell.kept += 1;
        }
        saved.0.push((redirect.descriptor, kept.then_some(copy)));
        if let Err(failure) = make(shell, redirect) {
            undo(shell, saved);
            return Err(failure);
        }
    }
    Ok(saved)
}

/// Makes redirections for good.
pub fn apply_for_good(shell: &mut Shell, redirects: &[Redirect]) -> Result<(), Failure> {
    redirects.iter().try_for_each(|redirect| make(shell, redirect))
}

/// Puts the descriptors back, the last first.
pub fn undo(shell: &mut Shell, saved: Saved) {
    for (descriptor, copy) in saved.0.into_iter().rev() {
        match copy {
            Some(copy) => {
                // The copy is open, so nothing can be wrong with this.
                let _ = descriptor::rename(copy, descriptor);
                shell.kept -= 1;
            }
            None => descriptor::close(descriptor),
        }
    }
}

fn make(shell: &mut Shell, redirect: &Redirect) -> Result<(), Failure> {
    let target = redirect.descriptor;
    let (word, flags) = match &redirect.target {
        Target::Read(word) => (word, raw::O_RDONLY),
        Target::Write(word) => (word, raw::O_WRONLY | raw::O_CREAT | raw::O_TRUNC),
        Target::Append(word) => (word, raw::O_WRONLY | raw::O_CREAT | raw::O_APPEND),
        Target::ReadWrite(word) => (word, raw::O_RDWR | raw::O_CREAT),
        Target::Duplicate(word) => return duplicate(shell, word, target),
        Target::Here(place) => {
            let text = match place.get() {
                Some(word) => expand::text(shell, word)?,
                None => Vec::new(),
            };
            let reader = process::reader_of(shell, &text);
            return reader
                .and_then(|reader| descriptor::rename(reader, target))
                .map_err(|errno| Failure(alloc::format!("here-document: {}", Reason(errno))));
        }
    };
    let name = expand::text(shell, word)?;
    let opened = descriptor::open(&c_string(&name), flags, 0o666);
    opened.and_then(|file| descriptor::rename(file, target)).map_err(|errno| {
        let verb = if flags & raw::O_CREAT != 0 { "create" } else { "open" };
        let reason = match errno {
            Errno::ENOENT if verb == "create" => "nonexistent directory",
            Errno::ENOENT => "no such file",
            _ => return Failure(alloc::format!("can't {verb} {}: {}", Text(&name), Reason(errno))),
        };
        Failure(alloc::format!("can't {verb} {}: {reason}", Text(&name)))
    })
}

/// `>&word`
fn duplicate(shell: &mut Shell, word: &Word, target: i32) -> Result<(), Failure> {
    let source = expand::text(shell, word)?;
    match source[..] {
        [b'-'] => descriptor::close(target),
        [digit @ b'0'..=b'9'] => {
            let source = i32::from(digit - b'0');
            // To itself it only must be open, which a copy to the place of the next one shows.
            let place = if source == target { FIRST_COPY + shell.kept } else { target };
            descriptor::duplicate(source, place, Exec::Keeps)
                .map_err(|errno| Failure(alloc::format!("{source}: {}", Reason(errno))))?;
            if place != target {
                descriptor::close(place);
            }
        }
        _ => return Err(Failure(alloc::format!("{}: bad descriptor number", Text(&source)))),
    }
    Ok(())
}
