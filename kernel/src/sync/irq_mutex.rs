//! A spin lock that masks interrupts on this CPU while it is held, so that a handler never waits for the code
//! that it interrupted (Linux: `spin_lock_irqsave`).

use crate::arch::barrier::{self, IrqFlags};
use core::ops::{Deref, DerefMut};
use spin::mutex::{SpinMutex, SpinMutexGuard};

/// Data behind a spin lock with interrupts masked.
pub struct IrqMutex<T> {
    inner: SpinMutex<T>,
}

impl<T> IrqMutex<T> {
    /// An unlocked mutex.
    pub const fn new(value: T) -> Self {
        Self { inner: SpinMutex::new(value) }
    }

    /// Masks interrupts and waits for the lock.
    #[inline]
    pub fn lock(&self) -> IrqMutexGuard<'_, T> {
        let flags = RestoreIrqs(barrier::irq_save());
        IrqMutexGuard { inner: self.inner.lock(), _flags: flags }
    }

    /// The value of a mutex that nobody else knows.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<IrqMutexGuard<'_, T>> {
        let flags = RestoreIrqs(barrier::irq_save());
        let inner = self.inner.try_lock()?;
        Some(IrqMutexGuard { inner, _flags: flags })
    }
}

impl<T: Default> Default for IrqMutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for IrqMutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Holds the lock of an [`IrqMutex`]. The fields are dropped in this order: first the lock, then the mask.
#[must_use]
pub struct IrqMutexGuard<'a, T> {
    inner: SpinMutexGuard<'a, T>,
    _flags: RestoreIrqs,
}

impl<T> Deref for IrqMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for IrqMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

/// Brings the interrupt mask back when dropped.
struct RestoreIrqs(IrqFlags);

impl Drop for RestoreIrqs {
    #[inline]
    fn drop(&mut self) {
        barrier::irq_restore(self.0);
    }
}
