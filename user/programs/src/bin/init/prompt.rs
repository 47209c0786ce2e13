//! Runs what is typed: a program and its words a line. No quotes, no pipes: a shell this is not.

use crate::command;
use core::ffi::CStr;
use rt::Arg;
use rt::sys::Errno;

const LINE_MAX: usize = 1024;
const WORDS_MAX: usize = 32;

/// Reads and runs lines until the input ends.
pub fn serve(envp: &[Arg<'_>]) {
    rt::println!("\nType a program and its arguments, for example: ls /tests");
    rt::println!("Ctrl-D at the start of a line ends the machine.");
    loop {
        rt::print!("> ");
        let mut line = [0; LINE_MAX];
        if !read_line(&mut line) {
            rt::println!();
            return;
        }
        let mut argv = [Arg::END; WORDS_MAX + 1];
        match split(&mut line, &mut argv) {
            Some(0) => {}
            Some(words) => {
                let status = command::run(&argv[..=words], envp);
                if status != 0 {
                    rt::println!("(status {status})");
                }
            }
            None => rt::println!("init: more than {WORDS_MAX} words"),
        }
    }
}

/// Reads a line without its end; `false` at the end of the input. What is too long is cut.
fn read_line(line: &mut [u8; LINE_MAX]) -> bool {
    let mut len = 0;
    loop {
        let mut byte = [0];
        match rt::rustix::io::read(rt::io::fd(0), &mut byte) {
            Ok(0) => return len > 0,
            Ok(_) if byte[0] == b'\n' => return true,
            // The last byte stays zero: it ends the last word.
            Ok(_) if len < LINE_MAX - 1 => {
                line[len] = byte[0];
                len += 1;
            }
            Ok(_) => {}
            Err(errno) if errno.raw_os_error() == i32::from(Errno::EINTR.raw()) => {}
            Err(_) => return false,
        }
    }
}

/// Puts the words of `line` into `argv`, ending each where its blank was; `None` when there are too
/// many.
fn split<'a>(line: &'a mut [u8; LINE_MAX], argv: &mut [Arg<'a>; WORDS_MAX + 1]) -> Option<usize> {
    for byte in line.iter_mut().filter(|byte| byte.is_ascii_whitespace()) {
        *byte = 0;
    }
    let line = &*line;
    let mut words = 0;
    for at in 0..line.len() {
        let starts = line[at] != 0 && (at == 0 || line[at - 1] == 0);
        if starts {
            if words == WORDS_MAX {
                return None;
            }
            argv[words] = Arg::new(CStr::from_bytes_until_nul(&line[at..]).ok()?);
            words += 1;
        }
    }
    Some(words)
}
