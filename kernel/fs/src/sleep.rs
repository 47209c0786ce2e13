//! Sleeping: the seam to the scheduler, and the lock whose holder may sleep (Linux's `struct mutex`).
//!
//! A task waits at a *key*, a number of its waker's choice that others may use by chance: a wake-up for nothing is
//! allowed, waiters look again. Nothing here may be used in interrupt context, but for [`Park::wake`].

use abi::Errno;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};
use spin::Once;

/// Where tasks wait. The kernel has one implementation.
pub trait Park: Send + Sync {
    /// Sleeps until `ready` says so; it is asked before the first sleep and after each wake-up at `key`, and must not
    /// sleep itself. No spin lock is held by the caller.
    fn wait(&self, key: usize, ready: &mut dyn FnMut() -> bool);

    /// As [`wait`](Park::wait), but a signal ends it: EINTR then.
    fn wait_interruptible(&self, key: usize, ready: &mut dyn FnMut() -> bool) -> Result<(), Errno>;

    /// Wakes all that wait at `key`.
    fn wake(&self, key: usize);
}

static PARK: Once<&'static dyn Park> = Once::new();

/// Names the scheduler. Called once, at boot, before anything can have to wait.
pub fn set_park(park: &'static dyn Park) {
    PARK.call_once(|| park);
}

/// The scheduler; on a host, where threads are the host's business, one that keeps asking.
pub fn park() -> &'static dyn Park {
    PARK.get().copied().unwrap_or(&Polling)
}

struct Polling;

impl Park for Polling {
    fn wait(&self, _: usize, ready: &mut dyn FnMut() -> bool) {
        while !ready() {
            core::hint::spin_loop();
        }
    }

    fn wait_interruptible(&self, key: usize, ready: &mut dyn FnMut() -> bool) -> Result<(), Errno> {
        self.wait(key, ready);
        Ok(())
    }

    fn wake(&self, _: usize) {}
}

/// A value that one task at a time may use, however long it sleeps meanwhile.
#[derive(Default)]
pub struct SleepMutex<T> {
    /// Never waited for by spinning: whoever finds it taken sleeps.
    value: spin::Mutex<T>,
    waiters: AtomicU32,
}

/// The right to use the value.
pub struct SleepGuard<'a, T> {
    /// `None` only while it is dropped.
    guard: Option<spin::MutexGuard<'a, T>>,
    mutex: &'a SleepMutex<T>,
}

impl<T> SleepMutex<T> {
    /// A lock around `value`.
    pub const fn new(value: T) -> SleepMutex<T> {
        SleepMutex { value: spin::Mutex::new(value), waiters: AtomicU32::new(0) }
    }

    /// Waits for the lock and takes it.
    pub fn lock(&self) -> SleepGuard<'_, T> {
        let mut guard = self.value.try_lock();
        if guard.is_none() {
            self.waiters.fetch_add(1, Ordering::SeqCst);
            park().wait(self.key(), &mut || {
                guard = self.value.try_lock();
                guard.is_some()
            });
            self.waiters.fetch_sub(1, Ordering::SeqCst);
        }
        SleepGuard { guard, mutex: self }
    }

    fn key(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
}

impl<T> Deref for SleepGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().expect("held until it is dropped")
    }
}

impl<T> DerefMut for SleepGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect("held until it is dropped")
    }
}

impl<T> Drop for SleepGuard<'_, T> {
    fn drop(&mut self) {
        self.guard = None;
        // A waiter counts itself before it looks at the lock, so either it finds the lock free or we find it counted.
        core::sync::atomic::fence(Ordering::SeqCst);
        if self.mutex.waiters.load(Ordering::SeqCst) != 0 {
            park().wake(self.mutex.key());
        }
    }
}
