//! `test` and `[`: questions about texts, numbers and files.

use crate::command::misuse;
use crate::run::Flow;
use crate::shell::{Shell, USAGE, c_string};
use alloc::vec::Vec;
use rt::io::Text;
use rt::rustix::fs::{self, Access, FileType, Stat};

/// How deep parentheses and `!` may be nested.
const DEEPEST: usize = 100;

/// `test EXPRESSION`, `[ EXPRESSION ]`
pub fn test(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut expression = &words[1..];
    if words[0] == b"[" {
        match expression.split_last() {
            Some((last, rest)) if last == b"]" => expression = rest,
            _ => return misuse(shell, words, "missing ]"),
        }
    }
    let mut question = Question { words: expression, depth: 0 };
    shell.status = match question.answer() {
        Ok(answer) => i32::from(!answer),
        Err(Wrong(word, why)) => {
            crate::shell::report(format_args!("{}: {}: {why}", Text(&words[0]), Text(&word)));
            USAGE
        }
    };
    Flow::Next
}

/// A word that does not belong there, and why.
struct Wrong(Vec<u8>, &'static str);

/// The words that are left of an expression.
struct Question<'a> {
    words: &'a [Vec<u8>],
    depth: usize,
}

impl Question<'_> {
    fn answer(&mut self) -> Result<bool, Wrong> {
        // POSIX decides by the number of words, so that `test "$x"` works whatever `$x` is.
        let words = self.words;
        match words {
            [] => Ok(false),
            [text] => Ok(!text.is_empty()),
            [not, text] if not == b"!" => Ok(text.is_empty()),
            [left, operator, right] if is_binary(operator) => binary(left, operator, right),
            [not, ..] if not == b"!" && words.len() <= 4 => {
                self.words = &words[1..];
                self.answer().map(|answer| !answer)
            }
            _ => {
                let answer = self.either()?;
                match self.words.first() {
                    None => Ok(answer),
                    Some(word) => Err(Wrong(word.clone(), "unexpected operator")),
                }
            }
        }
    }

    fn take(&mut self, word: &[u8]) -> bool {
        let found = self.words.first().is_some_and(|first| first == word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn either(&mut self) -> Result<bool, Wrong> {
        let mut answer = self.both()?;
        while self.take(b"-o") {
            answer |= self.both()?;
        }
        Ok(answer)
    }

    fn both(&mut self) -> Result<bool, Wrong> {
        let mut answer = self.primary()?;
        while self.take(b"-a") {
            answer &= self.primary()?;
        }
        Ok(answer)
    }

    fn primary(&mut self) -> Result<bool, Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Wrong(b"(".to_vec(), "nested too deeply"));
        }
        let answer = self.nested();
        self.depth -= 1;
        answer
    }

    fn nested(&mut self) -> Result<bool, Wrong> {
        if self.take(b"!") {
            return self.primary().map(|answer| !answer);
        }
        let words = self.words;
        if let [left, operator, right, ..] = words
            && is_binary(operator)
        {
            self.words = &words[3..];
            return binary(left, operator, right);
        }
        if self.take(b"(") {
            let answer = self.either()?;
            return if self.take(b")") { Ok(answer) } else { Err(Wrong(b")".to_vec(), "missing")) };
        }
        match words {
            [operator, operand, ..] if let Some(answer) = unary(operator, operand) => {
                self.words = &words[2..];
                Ok(answer)
            }
            [text, ..] => {
                self.words = &words[1..];
                Ok(!text.is_empty())
            }
            [] => Err(Wrong(Vec::new(), "an operand is missing")),
        }
    }
}

const BINARY: [&[u8]; 12] =
    [b"=", b"==", b"!=", b"-eq", b"-ne", b"-lt", b"-le", b"-gt", b"-ge", b"-nt", b"-ot", b"-ef"];

fn is_binary(word: &[u8]) -> bool {
    BINARY.contains(&word)
}

fn binary(left: &[u8], operator: &[u8], right: &[u8]) -> Result<bool, Wrong> {
    Ok(match operator {
        b"=" | b"==" => left == right,
        b"!=" => left != right,
        b"-nt" => modified(left) > modified(right),
        b"-ot" => modified(left) < modified(right),
        b"-ef" => {
            let identity = |path| stat(path).map(|stat| (stat.st_dev, stat.st_ino));
            identity(left).is_some_and(|left| Some(left) == identity(right))
        }
        _ => {
            let (left, right) = (number(left)?, number(right)?);
            match operator {
                b"-eq" => left == right,
                b"-ne" => left != right,
                b"-lt" => left < right,
                b"-le" => left <= right,
                b"-gt" => left > right,
                _ => left >= right,
            }
        }
    })
}

fn number(word: &[u8]) -> Result<i64, Wrong> {
    let text = core::str::from_utf8(word.trim_ascii()).unwrap_or_default();
    text.parse().map_err(|_| Wrong(word.to_vec(), "not a number"))
}

/// `None` if there is no such operator.
fn unary(operator: &[u8], operand: &[u8]) -> Option<bool> {
    let kind = |wanted| stat(operand).is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == wanted);
    Some(match operator {
        b"-n" => !operand.is_empty(),
        b"-z" => operand.is_empty(),
        b"-e" => stat(operand).is_some(),
        b"-f" => kind(FileType::RegularFile),
        b"-d" => kind(FileType::Directory),
        b"-b" => kind(FileType::BlockDevice),
        b"-c" => kind(FileType::CharacterDevice),
        b"-p" => kind(FileType::Fifo),
        b"-S" => kind(FileType::Socket),
        b"-s" => stat(operand).is_some_and(|stat| stat.st_size > 0),
        b"-h" | b"-L" => fs::lstat(c_string(operand).as_c_str())
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink),
        b"-r" => may(operand, Access::READ_OK),
        b"-w" => may(operand, Access::WRITE_OK),
        b"-x" => may(operand, Access::EXEC_OK),
        b"-t" => number(operand).is_ok_and(|descriptor| rt::descriptor::is_terminal(descriptor as i32)),
        _ => return None,
    })
}

fn stat(path: &[u8]) -> Option<Stat> {
    fs::stat(c_string(path).as_c_str()).ok()
}

fn may(path: &[u8], access: Access) -> bool {
    fs::access(c_string(path).as_c_str(), access).is_ok()
}

fn modified(path: &[u8]) -> Option<(i64, u64)> {
    stat(path).map(|stat| (stat.st_mtime, stat.st_mtime_nsec))
}
