//! The grammar.

use super::here::Tabs;
use super::token::Token;
use super::{Error, Parser};
use crate::syntax::{
    Assignment, Command, Connector, Item, Kind, List, Piece, Pipeline, Place, Quoting, Redirect, Sense,
    Target, Until, Word, is_name,
};
use alloc::rc::Rc;
use alloc::vec::Vec;

/// Words that end a list where a command could begin.
const CLOSING: [&[u8]; 8] = [b"then", b"else", b"elif", b"fi", b"do", b"done", b"esac", b"}"];

impl Parser<'_> {
    /// The commands of a line.
    pub(super) fn line(&mut self) -> Result<Option<List>, Error> {
        while *self.peek()? == Token::Newline {
            self.peeked = None;
        }
        if *self.peek()? == Token::End {
            return Ok(None);
        }
        let mut list = List::default();
        loop {
            let separated = self.item(&mut list)?;
            match self.peek()? {
                Token::Newline => {
                    self.peeked = None;
                    return Ok(Some(list));
                }
                Token::End => return Ok(Some(list)),
                _ if separated => {}
                _ => return self.unexpected("a command"),
            }
        }
    }

    /// All commands of the text.
    pub(super) fn all(&mut self) -> Result<List, Error> {
        let mut all = List::default();
        while let Some(list) = self.line()? {
            all.0.extend(list.0);
        }
        Ok(all)
    }

    /// The commands before a `)`, and over it.
    pub(super) fn list_until_parenthesis(&mut self) -> Result<List, Error> {
        let list = self.maybe_empty_list()?;
        if self.take(")")? { Ok(list) } else { self.unexpected("a closing \")\"") }
    }

    /// Commands up to a token that can't begin one; at least one of them.
    fn list(&mut self) -> Result<List, Error> {
        let list = self.deeper(Self::maybe_empty_list)?;
        if list.0.is_empty() { self.unexpected("a command") } else { Ok(list) }
    }

    fn maybe_empty_list(&mut self) -> Result<List, Error> {
        let mut list = List::default();
        loop {
            self.skip_newlines()?;
            if self.at_end_of_list()? {
                return Ok(list);
            }
            let separated = self.item(&mut list)?;
            if !separated && *self.peek()? != Token::Newline {
                return Ok(list);
            }
        }
    }

    fn at_end_of_list(&mut self) -> Result<bool, Error> {
        let token = self.peek()?;
        Ok(match token {
            Token::End => true,
            Token::Word(word) => word.bare().is_some_and(|text| CLOSING.contains(&text)),
            token => token.is(")") || token.is(";;"),
        })
    }

    fn skip_newlines(&mut self) -> Result<(), Error> {
        while *self.peek()? == Token::Newline {
            self.peeked = None;
        }
        Ok(())
    }

    /// One item with its `;` or `&`; whether there was one of these.
    fn item(&mut self, list: &mut List) -> Result<bool, Error> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let connector = if self.take("&&")? {
                Connector::And
            } else if self.take("||")? {
                Connector::Or
            } else {
                break;
            };
            self.skip_newlines()?;
            rest.push((connector, self.pipeline()?));
        }
        let background = self.take("&")?;
        let place = if background { Place::Background } else { Place::Foreground };
        list.0.push(Item { first, rest, place });
        Ok(background || self.take(";")?)
    }

    fn pipeline(&mut self) -> Result<Pipeline, Error> {
        let status = if self.take_word(b"!")? { Sense::Inverted } else { Sense::Plain };
        let mut commands = Vec::from([self.command()?]);
        while self.take("|")? {
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
        Ok(Pipeline { status, commands })
    }

    fn command(&mut self) -> Result<Command, Error> {
        if self.take("(")? {
            let list = self.list()?;
            if !self.take(")")? {
                return self.unexpected("a closing \")\"");
            }
            return self.redirected(Kind::Subshell(list));
        }
        let kind = match self.peek()?.bare() {
            Some(b"{") => self.braced(b"{", b"}").map(Kind::Group),
            Some(b"if") => self.conditional(),
            Some(b"while") => self.repeated(b"while", Until::Failure),
            Some(b"until") => self.repeated(b"until", Until::Success),
            Some(b"for") => self.for_each(),
            Some(b"case") => self.case(),
            Some(text) if CLOSING.contains(&text) => return self.unexpected("a command"),
            _ => return self.simple(),
        };
        self.redirected(kind?)
    }

    /// A command of this kind, with the redirections that follow.
    fn redirected(&mut self, kind: Kind) -> Result<Command, Error> {
        let mut command = Command { kind, redirects: Vec::new() };
        while let Some(redirect) = self.redirect()? {
            command.redirects.push(redirect);
        }
        Ok(command)
    }

    fn simple(&mut self) -> Result<Command, Error> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            if !matches!(self.peek()?, Token::Word(_)) {
                break;
            }
            let Token::Word(word) = self.next()? else { break };
            if words.is_empty() && redirects.is_empty() && assignments.is_empty() && self.take("(")? {
                return self.function(&word);
            }
            match assignment(word) {
                Ok(assignment) if words.is_empty() => assignments.push(assignment),
                Ok(assignment) => words.push(assignment.into_word()),
                Err(word) => words.push(word),
            }
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return self.unexpected("a command");
        }
        Ok(Command { kind: Kind::Simple { assignments, words }, redirects })
    }

    /// After `name(`.
    fn function(&mut self, name: &Word) -> Result<Command, Error> {
        let name = name.bare().filter(|name| is_name(name)).map(Vec::from);
        let (Some(name), true) = (name, self.take(")")?) else { return self.unexpected("\")\"") };
        self.skip_newlines()?;
        let body = self.deeper(Self::command)?;
        Ok(Command { kind: Kind::Function { name, body: Rc::new(body) }, redirects: Vec::new() })
    }

    /// A redirection, if one comes next.
    fn redirect(&mut self) -> Result<Option<Redirect>, Error> {
        let given = match self.peek()? {
            Token::Descriptor(number) => Some(*number),
            _ => None,
        };
        if given.is_some() {
            self.peeked = None;
        }
        let Token::Operator(operator) = *self.peek()? else { return Ok(None) };
        let usual = match operator {
            "<" | "<<" | "<<-" | "<&" | "<>" => 0,
            ">" | ">>" | ">&" | ">|" => 1,
            _ => return Ok(None),
        };
        self.peeked = None;
        if !matches!(self.peek()?, Token::Word(_)) {
            return self.unexpected("what to redirect to");
        }
        let Token::Word(word) = self.next()? else { return Ok(None) };
        let target = match operator {
            "<" => Target::Read(word),
            "<>" => Target::ReadWrite(word),
            ">>" => Target::Append(word),
            "<&" | ">&" => Target::Duplicate(word),
            "<<" => self.announce(&word, Tabs::Kept),
            "<<-" => self.announce(&word, Tabs::Removed),
            _ => Target::Write(word),
        };
        Ok(Some(Redirect { descriptor: given.unwrap_or(usual), target }))
    }

    fn conditional(&mut self) -> Result<Kind, Error> {
        let mut branches = Vec::new();
        self.expect_word(b"if", "\"if\"")?;
        loop {
            let condition = self.list()?;
            self.expect_word(b"then", "\"then\"")?;
            branches.push((condition, self.list()?));
            if !self.take_word(b"elif")? {
                break;
            }
        }
        let otherwise = if self.take_word(b"else")? { Some(self.list()?) } else { None };
        self.expect_word(b"fi", "\"fi\"")?;
        Ok(Kind::If { branches, otherwise })
    }

    fn repeated(&mut self, word: &[u8], until: Until) -> Result<Kind, Error> {
        self.expect_word(word, "a loop")?;
        let condition = self.list()?;
        let body = self.body()?;
        Ok(Kind::Loop { until, condition, body })
    }

    fn body(&mut self) -> Result<List, Error> {
        self.braced(b"do", b"done")
    }

    fn braced(&mut self, open: &[u8], close: &[u8]) -> Result<List, Error> {
        self.expect_word(open, "\"do\"")?;
        let list = self.list()?;
        self.expect_word(close, if close == b"}" { "\"}\"" } else { "\"done\"" })?;
        Ok(list)
    }

    fn for_each(&mut self) -> Result<Kind, Error> {
        self.expect_word(b"for", "\"for\"")?;
        let Some(name) = self.peek()?.bare().filter(|name| is_name(name)).map(Vec::from) else {
            return self.unexpected("a name");
        };
        self.peeked = None;
        self.skip_newlines()?;
        let words = if self.take_word(b"in")? {
            let mut words = Vec::new();
            while let Token::Word(word) = self.peek()? {
                words.push(word.clone());
                self.peeked = None;
            }
            if !self.take(";")? && *self.peek()? != Token::Newline {
                return self.unexpected("\"do\"");
            }
            Some(words)
        } else {
            self.take(";")?;
            None
        };
        self.skip_newlines()?;
        Ok(Kind::For { name, words, body: self.body()? })
    }

    fn case(&mut self) -> Result<Kind, Error> {
        self.expect_word(b"case", "\"case\"")?;
        let word = self.any_word()?;
        self.skip_newlines()?;
        self.expect_word(b"in", "\"in\"")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.take_word(b"esac")? {
                return Ok(Kind::Case { word, arms });
            }
            self.take("(")?;
            let mut patterns = Vec::from([self.any_word()?]);
            while self.take("|")? {
                patterns.push(self.any_word()?);
            }
            if !self.take(")")? {
                return self.unexpected("\")\"");
            }
            arms.push((patterns, self.deeper(Self::maybe_empty_list)?));
            if !self.take(";;")? {
                self.expect_word(b"esac", "\"esac\"")?;
                return Ok(Kind::Case { word, arms });
            }
        }
    }

    fn any_word(&mut self) -> Result<Word, Error> {
        if !matches!(self.peek()?, Token::Word(_)) {
            return self.unexpected("a word");
        }
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => self.unexpected("a word"),
        }
    }

    /// Steps over a reserved word if it comes next.
    fn take_word(&mut self, text: &[u8]) -> Result<bool, Error> {
        let found = self.peek()?.bare() == Some(text);
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    fn expect_word(&mut self, text: &[u8], wanted: &'static str) -> Result<(), Error> {
        if self.take_word(text)? { Ok(()) } else { self.unexpected(wanted) }
    }
}

/// Takes a word that is an assignment apart; gives any other back.
fn assignment(mut word: Word) -> Result<Assignment, Word> {
    let Some(Piece::Literal(text, Quoting::Bare)) = word.0.first_mut() else { return Err(word) };
    let Some(equals) = text.iter().position(|byte| *byte == b'=') else { return Err(word) };
    if !is_name(&text[..equals]) {
        return Err(word);
    }
    let value = text.split_off(equals + 1);
    text.pop();
    let name = core::mem::take(text);
    if value.is_empty() {
        word.0.remove(0);
    } else {
        word.0[0] = Piece::Literal(value, Quoting::Bare);
    }
    Ok(Assignment { name, value: word })
}

impl Assignment {
    /// The word that it was, for a place where assignments are words.
    fn into_word(self) -> Word {
        let mut word = Word::default();
        word.push(&self.name, Quoting::Bare);
        word.push(b"=", Quoting::Bare);
        for piece in self.value.0 {
            match piece {
                Piece::Literal(text, quoting) => word.push(&text, quoting),
                piece => word.0.push(piece),
            }
        }
        word
    }
}
