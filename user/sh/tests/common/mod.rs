//! A shell that exists in memory: variables, arguments, and a few files.

#![allow(dead_code)]

use sh::expand::{self, Environment, Failure, Unset};
use sh::parser::{Error, Parser, Text};
use sh::syntax::{Kind, List, Special};
use std::collections::BTreeMap;

/// What words are expanded with.
pub struct Fake {
    pub variables: BTreeMap<Vec<u8>, Vec<u8>>,
    pub arguments: Vec<Vec<u8>>,
    pub unset: Unset,
}

const FILES: [&str; 7] = ["a.rs", "b.rs", ".hidden", "d/one", "d/two", "e/one", "star*"];

impl Fake {
    pub fn new() -> Fake {
        let mut fake = Fake { variables: BTreeMap::new(), arguments: Vec::new(), unset: Unset::Empty };
        for (name, value) in [("x", "value"), ("empty", ""), ("words", " two  words "), ("HOME", "/root")] {
            fake.set(name, value);
        }
        fake
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    pub fn with_arguments(arguments: &[&str]) -> Fake {
        Fake { arguments: arguments.iter().map(|text| text.as_bytes().to_vec()).collect(), ..Fake::new() }
    }

    /// The fields of the words of a command.
    pub fn fields(&mut self, command: &str) -> Result<Vec<String>, String> {
        let list = parse(command.as_bytes()).map_err(|error| error.to_string())?;
        let [item] = &list.0[..] else { return Err("not one command".into()) };
        let Kind::Simple { words, .. } = &item.first.commands[0].kind else {
            return Err("not simple".into());
        };
        let fields = expand::fields(self, words).map_err(|failure| failure.0)?;
        Ok(fields.into_iter().map(|field| String::from_utf8(field).expect("text")).collect())
    }
}

impl Environment for Fake {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.variables.get(name).cloned()
    }

    fn assign(&mut self, name: &[u8], value: &[u8]) -> Result<(), Failure> {
        if name == b"constant" {
            return Err(Failure::of(name, "is read only"));
        }
        self.variables.insert(name.to_vec(), value.to_vec());
        Ok(())
    }

    fn arguments(&self) -> &[Vec<u8>] {
        &self.arguments
    }

    fn special(&self, special: Special) -> Option<Vec<u8>> {
        Some(match special {
            Special::Status => b"7".to_vec(),
            Special::Shell => b"fake".to_vec(),
            Special::Background => return None,
            _ => b"1".to_vec(),
        })
    }

    fn unset(&self) -> Unset {
        self.unset
    }

    /// Only `echo` is known here.
    fn output(&mut self, list: &List) -> Result<Vec<u8>, Failure> {
        let mut output = Vec::new();
        for item in &list.0 {
            let Kind::Simple { words, .. } = &item.first.commands[0].kind else { continue };
            let fields = expand::fields(self, words)?;
            output.extend(fields.get(1..).unwrap_or_default().join(&b' '));
            output.extend(b"\n");
        }
        Ok(output)
    }

    fn entries(&mut self, directory: &[u8]) -> Vec<Vec<u8>> {
        let directory = String::from_utf8_lossy(directory).trim_end_matches('/').to_owned();
        let prefix = if directory == "." { String::new() } else { directory + "/" };
        let inside = FILES.iter().filter_map(|file| file.strip_prefix(&prefix));
        let mut names: Vec<Vec<u8>> =
            inside.map(|rest| rest.split('/').next().unwrap_or(rest).as_bytes().to_vec()).collect();
        names.dedup();
        names
    }

    fn exists(&mut self, path: &[u8]) -> bool {
        let path = String::from_utf8_lossy(path).into_owned();
        let directory = path.trim_end_matches('/').to_owned() + "/";
        FILES.contains(&&path[..]) || FILES.iter().any(|file| file.starts_with(&directory))
    }
}

/// All commands of a whole text.
pub fn parse(text: &[u8]) -> Result<List, Error> {
    let mut parser = Parser::new(text, Text::Whole);
    let mut all = List::default();
    while let Some(list) = parser.next_line()? {
        all.0.extend(list.0);
    }
    Ok(all)
}
