//! Variables, and the environment that programs get of them.

use crate::shell::c_string;
use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use sh::expand::Failure;
use sh::syntax::is_name;

/// A variable. One without a value may still be marked.
#[derive(Clone, Default)]
struct Variable {
    value: Option<Vec<u8>>,
    exported: bool,
    read_only: bool,
}

/// All variables.
pub struct Variables(BTreeMap<Vec<u8>, Variable>);

/// Variables as they were, to be put back.
pub struct Saved(Vec<(Vec<u8>, Option<Variable>)>);

impl Variables {
    /// Those of an environment; entries that are no variables are dropped.
    pub fn new(environment: impl Iterator<Item = &'static CStr>) -> Variables {
        let mut variables = Variables(BTreeMap::new());
        for entry in environment {
            let mut parts = entry.to_bytes().splitn(2, |byte| *byte == b'=');
            if let (Some(name), Some(value)) = (parts.next(), parts.next())
                && is_name(name)
            {
                let variable = Variable { value: Some(value.to_vec()), exported: true, read_only: false };
                variables.0.insert(name.to_vec(), variable);
            }
        }
        variables
    }

    /// The value of a variable.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.get(name)?.value.as_deref()
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Failure> {
        let variable = self.writable(name)?;
        variable.value = Some(value.to_vec());
        Ok(())
    }

    /// Forgets a variable.
    pub fn unset(&mut self, name: &[u8]) -> Result<(), Failure> {
        self.writable(name)?;
        self.0.remove(name);
        Ok(())
    }

    /// Gives a variable to programs from now on.
    pub fn export(&mut self, name: &[u8]) {
        self.0.entry(name.to_vec()).or_default().exported = true;
    }

    /// Makes a variable unchangeable.
    pub fn protect(&mut self, name: &[u8]) {
        self.0.entry(name.to_vec()).or_default().read_only = true;
    }

    fn writable(&mut self, name: &[u8]) -> Result<&mut Variable, Failure> {
        let variable = self.0.entry(name.to_vec()).or_default();
        if variable.read_only { Err(Failure::of(name, "is read only")) } else { Ok(variable) }
    }

    /// The environment of a program.
    pub fn environment(&self) -> Vec<CString> {
        let entries = self.0.iter().filter(|(_, variable)| variable.exported);
        entries
            .filter_map(|(name, variable)| Some(c_string(&[name, variable.value.as_deref()?].join(&b'='))))
            .collect()
    }

    /// Every variable that has a value, and whether it is exported.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], &[u8], bool)> {
        self.0
            .iter()
            .filter_map(|(name, variable)| Some((&name[..], variable.value.as_deref()?, variable.exported)))
    }

    /// Remembers these variables.
    pub fn save<'a>(&self, names: impl Iterator<Item = &'a [u8]>) -> Saved {
        Saved(names.map(|name| (name.to_vec(), self.0.get(name).cloned())).collect())
    }

    /// Puts them back, the one remembered first last.
    pub fn restore(&mut self, saved: Saved) {
        for (name, variable) in saved.0.into_iter().rev() {
            match variable {
                Some(variable) => self.0.insert(name, variable),
                None => self.0.remove(&name),
            };
        }
    }
}
