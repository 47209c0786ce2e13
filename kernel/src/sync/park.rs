//! Where the crate `fs` lets tasks wait: at keys, spread over a few queues. Two keys may share a queue; then a wake-up
//! comes for nothing, and the waiter looks again.

use super::WaitQueue;
use crate::task::sched;
use abi::Errno;
use fs::sleep::Park;

const NR_QUEUES: usize = 64;

static QUEUES: [WaitQueue; NR_QUEUES] = [const { WaitQueue::new() }; NR_QUEUES];

fn queue(key: usize) -> &'static WaitQueue {
    // Keys are addresses of objects of a few words, or the one after: all bits above the alignment count.
    &QUEUES[(key ^ key >> 4 ^ key >> 10) % NR_QUEUES]
}

/// The scheduler as `fs` knows it.
pub struct Parking;

impl Park for Parking {
    fn wait(&self, key: usize, ready: &mut dyn FnMut() -> bool) {
        queue(key).wait_until(|| ready().then_some(()));
    }

    fn wait_interruptible(&self, key: usize, ready: &mut dyn FnMut() -> bool) -> Result<(), Errno> {
        queue(key).wait_interruptible(|| ready().then_some(()))
    }

    fn wake(&self, key: usize) {
        wake(key);
    }
}

/// Wakes all that wait at `key`. May be called from an interrupt handler.
pub fn wake(key: usize) {
    queue(key).wake_all();
}

/// Sleeps until `ready` says so, or the clock reaches `deadline`. It is asked before the first sleep and after each
/// wake-up at one of `keys`. ERESTARTNOHAND when a signal comes before either.
pub fn wait_for_any(
    keys: &[usize],
    deadline: Option<u64>,
    ready: &mut dyn FnMut() -> bool,
) -> Result<(), Errno> {
    let mut over = deadline.is_some_and(|deadline| crate::drivers::timer::now() >= deadline);
    let mut result = Ok(());
    while !ready() && !over && result.is_ok() {
        keys.iter().for_each(|key| queue(*key).enter());
        if keys.is_empty() {
            sched::prepare_to_block(&crate::task::current());
        }
        if !ready() {
            if crate::task::current().signal_pending() {
                result = Err(Errno::ERESTARTNOHAND);
            } else {
                match deadline {
                    Some(deadline) => over = sched::schedule_until(deadline),
                    None => sched::schedule(),
                }
            }
        }
        keys.iter().for_each(|key| queue(*key).leave());
        sched::stay_runnable(&crate::task::current());
    }
    result
}
