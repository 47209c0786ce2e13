//! What the machine and its domain are called. Mirrors Linux's `struct uts_namespace`.

use crate::sync::IrqMutex;

/// Longest name, without its NUL.
pub const NAME_MAX: usize = 64;

/// A name with zeros behind it, as `uname(2)` gives it.
pub type Name = [u8; NAME_MAX + 1];

/// One of the two names.
pub struct UtsName(IrqMutex<Name>);

/// The machine's.
pub static NODENAME: UtsName = UtsName::new(b"granule");
/// Its domain's.
pub static DOMAINNAME: UtsName = UtsName::new(b"(none)");

impl UtsName {
    const fn new(text: &[u8]) -> UtsName {
        let mut name = [0; NAME_MAX + 1];
        let (start, _) = name.split_at_mut(text.len());
        start.copy_from_slice(text);
        UtsName(IrqMutex::new(name))
    }

    /// The name.
    pub fn get(&self) -> Name {
        *self.0.lock()
    }

    /// Replaces it; what is longer than [`NAME_MAX`] is cut.
    pub fn set(&self, text: &[u8]) {
        let text = &text[..text.len().min(NAME_MAX)];
        let mut name = [0; NAME_MAX + 1];
        name[..text.len()].copy_from_slice(text);
        *self.0.lock() = name;
    }
}
