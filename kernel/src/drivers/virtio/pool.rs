//! A set of small numbers that are handed out and come back.

/// How many numbers a pool has: 0 to 63.
pub const POOL_SIZE: usize = 64;

/// Free numbers, one bit each.
pub struct Pool(u64);

impl Pool {
    /// All numbers free.
    pub const fn new() -> Self {
        Self(u64::MAX)
    }

    /// Whether [`Self::take`] would give a number.
    pub fn has_free(&self) -> bool {
        self.0 != 0
    }

    /// The smallest free number.
    pub fn take(&mut self) -> Option<usize> {
        if !self.has_free() {
            return None;
        }
        let number = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(number)
    }

    /// Takes a number back.
    pub fn put(&mut self, number: usize) {
        debug_assert!(self.0 & (1 << number) == 0, "given back twice");
        self.0 |= 1 << number;
    }
}
