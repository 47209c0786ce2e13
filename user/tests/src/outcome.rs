//! How a test ends, and how it says so.

use core::fmt::{self, Debug, Write};
use rt::println;

/// What a test returns.
pub type Outcome = Result<(), Failure>;

/// Short enough that a result that carries it stays small.
const LONGEST: usize = 119;

/// Why a test failed: a line number and a message, cut where it is too long.
pub struct Failure {
    len: u8,
    text: [u8; LONGEST],
}

impl Failure {
    /// A failure at `line` of the test's source.
    #[cold]
    pub fn new(line: u32, message: fmt::Arguments<'_>) -> Failure {
        let mut failure = Failure { len: 0, text: [0; LONGEST] };
        let _ = write!(failure, "line {line}: ").and_then(|()| failure.write_fmt(message));
        failure
    }
}

impl Write for Failure {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // A message is one line, whatever the source looks like that it quotes.
            let byte = if byte == b'\n' { b' ' } else { byte };
            if byte == b' ' && self.text[..self.len.into()].ends_with(b" ") {
                continue;
            }
            let Some(slot) = self.text.get_mut(usize::from(self.len)) else { return Err(fmt::Error) };
            *slot = byte;
            self.len += 1;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", rt::io::Text(&self.text[..self.len.into()]))
    }
}

/// Shows an error, of rustix or our own, by its name.
pub struct Report<E>(pub E);

impl<E: Debug> fmt::Display for Report<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Prints the verdict of test `name` and returns its exit status.
pub fn report(name: &str, outcome: Outcome) -> i32 {
    match outcome {
        Ok(()) => {
            println!("ok {name}");
            0
        }
        Err(failure) => {
            println!("not ok {name}: {failure}");
            1
        }
    }
}
