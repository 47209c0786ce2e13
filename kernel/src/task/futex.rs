//! Waiting at a word of memory until somebody wakes who waits there. Mirrors Linux's `kernel/futex`.
//!
//! A waiter enters the queue, then reads the word; a waker has changed the word, then looks at the queue. So no wake-up is lost
//! although the word is read with no lock held. One lock guards all queues, so that moving a waiter from one word to another
//! is one step.

use abi::{Errno, Prot};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use mm::filemap::AddressSpace;

use super::{Task, current, sched};
use crate::arch::uaccess::UserPtr;
use crate::drivers::timer;
use crate::sync::IrqMutex;

const NR_QUEUES: usize = 64;

/// All waiters of all words that fall into one queue, the longest waiting first.
type Queue = VecDeque<(Key, Arc<Waiter>)>;

static QUEUES: IrqMutex<[Queue; NR_QUEUES]> = IrqMutex::new([const { VecDeque::new() }; NR_QUEUES]);

/// How far a word is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To the threads of one process (`FUTEX_PRIVATE_FLAG`).
    Private,
    /// To all that have mapped it.
    Shared,
}

/// What identifies a word: its address in an address space; or its place in a shared object, so that processes with different
/// page sizes, which map it at different addresses, meet.
#[derive(Clone)]
pub struct Key {
    object: usize,
    offset: u64,
    /// Keeps the address of the object from being somebody else's while there is a waiter.
    _mapping: Option<Arc<AddressSpace>>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.object == other.object && self.offset == other.offset
    }
}

impl Key {
    /// The key of the word at `addr` of the running program. EINVAL if it is not aligned, EFAULT if it is none of the
    /// program's.
    pub fn new(addr: u64, scope: Scope) -> Result<Key, Errno> {
        if !addr.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let task = current();
        if addr >= task.task_size() {
            return Err(Errno::EFAULT);
        }
        let mm = task.user_mm()?;
        let private = Key { object: Arc::as_ptr(&mm).addr(), offset: addr, _mapping: None };
        if scope == Scope::Private {
            return Ok(private);
        }
        // The page must be there: nobody waits at nothing.
        UserPtr::<u32>::new(addr).read()?;
        let mm = mm.lock();
        let vma = mm.vmas().at(addr).ok_or(Errno::EFAULT)?;
        Ok(match &vma.file {
            Some(file) if vma.is_shared() || !vma.prot.contains(Prot::WRITE) => {
                let mapping = file.mapping().clone();
                let offset = (vma.pgoff_of(addr) << mm::types::PAGE_SHIFT) + addr % mm::types::PAGE_SIZE;
                Key { object: Arc::as_ptr(&mapping).addr(), offset, _mapping: Some(mapping) }
            }
            // What cannot change is not worth waiting for.
            _ if !vma.prot.contains(Prot::WRITE) => return Err(Errno::EFAULT),
            _ => private,
        })
    }

    fn queue(&self) -> usize {
        let mixed = (self.object as u64 >> 6 ^ self.offset >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 58) as usize % NR_QUEUES
    }
}

/// A task that waits.
struct Waiter {
    task: Arc<Task>,
    /// Which wakers may wake it.
    bitset: u32,
    /// Set under the lock of the queues when it leaves them by being woken.
    woken: AtomicBool,
    /// The queue in which it is.
    queue: AtomicUsize,
}

/// When [`wait`] ends by itself, on the clock since boot, and whether the caller computed it from the wall clock.
pub type Deadline = Option<u64>;

/// Sleeps until woken, if the word at `addr` holds `expected`: EAGAIN if it does not, ETIMEDOUT if nobody came until
/// `deadline`, ERESTARTSYS if a signal did.
pub fn wait(addr: u64, scope: Scope, expected: u32, bitset: u32, deadline: Deadline) -> Result<(), Errno> {
    if bitset == 0 {
        return Err(Errno::EINVAL);
    }
    let key = Key::new(addr, scope)?;
    let task = current();
    let number = key.queue();
    let waiter = Arc::new(Waiter {
        task: task.arc(),
        bitset,
        woken: AtomicBool::new(false),
        queue: AtomicUsize::new(number),
    });
    {
        let mut queues = QUEUES.lock();
        let queue = &mut queues[number];
        queue.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        queue.push_back((key, waiter.clone()));
    }
    let result = match UserPtr::<u32>::new(addr).read() {
        Ok(found) if found == expected => sleep(&waiter, deadline),
        Ok(_) => Err(Errno::EAGAIN),
        Err(error) => Err(error),
    };
    // Whoever was woken has been counted by the waker, whatever else happened.
    if leave(&waiter) { result } else { Ok(()) }
}

/// Sleeps until the waiter is woken; an error says why it was not.
fn sleep(waiter: &Waiter, deadline: Deadline) -> Result<(), Errno> {
    let task = current();
    let is_over = || deadline.is_some_and(|deadline| timer::now() >= deadline);
    loop {
        sched::prepare_to_block(&task);
        let reason = if waiter.woken.load(Ordering::Acquire) {
            Some(Ok(()))
        } else if is_over() {
            Some(Err(Errno::ETIMEDOUT))
        } else if task.signal_pending() {
            Some(Err(Errno::ERESTARTSYS))
        } else {
            None
        };
        match (reason, deadline) {
            (Some(_), _) => {}
            (None, Some(deadline)) => {
                sched::schedule_until(deadline);
            }
            (None, None) => sched::schedule(),
        }
        sched::stay_runnable(&task);
        if let Some(reason) = reason {
            return reason;
        }
    }
}

/// Takes the waiter out of its queue. False if it was woken, and so is out already.
fn leave(waiter: &Arc<Waiter>) -> bool {
    let mut queues = QUEUES.lock();
    let queue = &mut queues[waiter.queue.load(Ordering::Relaxed)];
    let gone = queue.iter().position(|(_, other)| Arc::ptr_eq(other, waiter)).and_then(|at| queue.remove(at));
    drop(queues);
    // The key may be the last to hold its object, which is not freed under the lock.
    gone.is_some()
}

/// Wakes at most `most` waiters of the word that one of the bits of `bitset` is for. How many.
pub fn wake(key: &Key, most: usize, bitset: u32) -> usize {
    let mut done = 0;
    while done < most {
        // One at a time: what is dropped is dropped without the lock.
        let Some(woken) = take(key, bitset) else { break };
        sched::wake(&woken.1.task);
        done += 1;
    }
    done
}

/// Takes out the first waiter that a waker with `bitset` finds at `key`.
fn take(key: &Key, bitset: u32) -> Option<(Key, Arc<Waiter>)> {
    let mut queues = QUEUES.lock();
    let queue = &mut queues[key.queue()];
    let at = queue.iter().position(|(other, waiter)| other == key && waiter.bitset & bitset != 0)?;
    let taken = queue.remove(at)?;
    taken.1.woken.store(true, Ordering::Release);
    Some(taken)
}

/// Wakes at most `wakes` waiters of `from` and lets at most `moves` others wait at `to` instead. How many woken, how many moved.
pub fn requeue(from: &Key, to: &Key, wakes: usize, moves: usize) -> Result<(usize, usize), Errno> {
    let woken = wake(from, wakes, u32::MAX);
    let mut moved = 0;
    let mut queues = QUEUES.lock();
    let (source, target) = (from.queue(), to.queue());
    let mut at = 0;
    while moved < moves && at < queues[source].len() {
        if queues[source][at].0 != *from {
            at += 1;
            continue;
        }
        moved += 1;
        if from == to {
            at += 1;
            continue;
        }
        queues[target].try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        if let Some((_, waiter)) = queues[source].remove(at) {
            waiter.queue.store(target, Ordering::Relaxed);
            // Behind all that it will not meet again, as `at` does not go back.
            queues[target].push_back((to.clone(), waiter));
        }
    }
    Ok((woken, moved))
}
