//! A lock for many readers or one writer, any of whom may sleep: Linux's `rw_semaphore`.
#![allow(unsafe_code)] // The lock word guards a cell.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use super::WaitQueue;

/// Value of the lock word while a writer holds the lock; below it, the number of readers.
const WRITER: u32 = u32::MAX;

/// A value that many tasks may read or one may change. Never taken in interrupt context.
pub struct RwLock<T: ?Sized> {
    state: AtomicU32,
    waiters: WaitQueue,
    value: UnsafeCell<T>,
}

// SAFETY: the lock word lets either readers, who share, or one writer, who owns, at the value.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

/// The right to read the value.
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
}

/// The right to change the value.
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
}

impl<T> RwLock<T> {
    /// A lock around `value`.
    pub const fn new(value: T) -> Self {
        RwLock { state: AtomicU32::new(0), waiters: WaitQueue::new(), value: UnsafeCell::new(value) }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer holds the lock and joins the readers.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        match self.try_read() {
            Some(guard) => guard,
            None => self.waiters.wait_until(|| self.try_read()),
        }
    }

    /// Waits until nobody holds the lock and takes it.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        match self.try_write() {
            Some(guard) => guard,
            None => self.waiters.wait_until(|| self.try_write()),
        }
    }

    fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let more = |readers: u32| readers.checked_add(1).filter(|&state| state != WRITER);
        self.state.try_update(Ordering::Acquire, Ordering::Relaxed, more).ok()?;
        Some(RwLockReadGuard { lock: self })
    }

    fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.state.compare_exchange(0, WRITER, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(RwLockWriteGuard { lock: self })
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: there are only readers while this guard exists.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        if self.lock.state.fetch_sub(1, Ordering::Release) == 1 {
            self.lock.waiters.wake_all();
        }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard is the only one.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard is the only one.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.state.store(0, Ordering::Release);
        self.lock.waiters.wake_all();
    }
}
