//! Extended attributes of a file in memory. Mirrors Linux's `simple_xattr` in `fs/xattr.c`.

use super::count_up;
use crate::alloc_util::try_copy;
use crate::inode::SetXattr;
use abi::Errno;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use spin::Mutex;

/// What a name costs besides its bytes and those of the value: about its place in the map.
const OVERHEAD: u64 = 64;

/// The attributes of one file.
#[derive(Default)]
pub struct Xattrs {
    values: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

/// What one attribute is counted as.
fn cost(name: &[u8], value: &[u8]) -> u64 {
    OVERHEAD + name.len() as u64 + value.len() as u64
}

impl Xattrs {
    /// The value of `name`, or ENODATA.
    pub fn get(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        try_copy(self.values.lock().get(name).ok_or(Errno::ENODATA)?)
    }

    /// Sets `name`, or removes it; `used` counts the bytes of all files up to `most`, beyond which it is ENOSPC.
    pub fn set(
        &self,
        name: &[u8],
        value: Option<&[u8]>,
        how: SetXattr,
        used: &AtomicU64,
        most: u64,
    ) -> Result<(), Errno> {
        let new = match value {
            Some(value) => {
                count_up(used, cost(name, value), most)?;
                Some((try_copy(name)?, try_copy(value)?))
            }
            None => None,
        };
        let given_back = match self.exchange(name, new, how) {
            Ok(Some(old)) => cost(name, &old),
            Ok(None) => 0,
            Err(error) => {
                used.fetch_sub(value.map_or(0, |value| cost(name, value)), Ordering::Relaxed);
                return Err(error);
            }
        };
        used.fetch_sub(given_back, Ordering::Relaxed);
        Ok(())
    }

    /// What was there before.
    fn exchange(
        &self,
        name: &[u8],
        new: Option<(Vec<u8>, Vec<u8>)>,
        how: SetXattr,
    ) -> Result<Option<Vec<u8>>, Errno> {
        let mut values = self.values.lock();
        let exists = values.contains_key(name);
        if exists && how.contains(SetXattr::CREATE) {
            return Err(Errno::EEXIST);
        }
        if !exists && (new.is_none() || how.contains(SetXattr::REPLACE)) {
            return Err(Errno::ENODATA);
        }
        Ok(match new {
            Some((name, value)) => values.insert(name, value),
            None => values.remove(name),
        })
    }

    /// All names, each with a NUL behind it, without those that begin with `hidden`.
    pub fn list(&self, hidden: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        let values = self.values.lock();
        let mut names = Vec::new();
        let shown = |name: &&Vec<u8>| !hidden.is_some_and(|hidden| name.starts_with(hidden));
        for name in values.keys().filter(shown) {
            names.try_reserve(name.len() + 1).map_err(|_| Errno::ENOMEM)?;
            names.extend_from_slice(name);
            names.push(0);
        }
        Ok(names)
    }

    /// What all of them are counted as.
    pub fn total(&mut self) -> u64 {
        self.values.get_mut().iter().map(|(name, value)| cost(name, value)).sum()
    }
}
