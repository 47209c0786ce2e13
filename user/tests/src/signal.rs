//! Signals as the tests use them: calls by name, and a handler that notes what it was given.
//!
//! The second room of the tests that may use `unsafe`, as the kernel calls into it.
#![allow(unsafe_code)]

use crate::call;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use rt::sys::raw as linux;
use rt::sys::signal::{FrameHead, SigAction, SigInfo, SigSet, SigStack, Signal};

pub use rt::sys::signal::{SaFlags, code};

/// How often a [`note`] was made.
static COUNT: AtomicU32 = AtomicU32::new(0);
static LAST: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];
/// What a handler does besides.
static WORK: AtomicUsize = AtomicUsize::new(0);

/// What the last handler was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// How many handlers have run.
    pub count: u32,
    /// The number.
    pub signal: i32,
    /// `si_code`.
    pub code: i32,
    /// `si_pid`, or the lower half of `si_addr`.
    pub pid: u32,
    /// `si_addr`, where there is one.
    pub addr: u64,
    /// `si_status` or `si_value`.
    pub value: u64,
    /// Where the stack was in the handler.
    pub sp: usize,
    /// What was blocked when the signal came.
    pub mask: SigSet,
}

/// What was noted last.
pub fn noted() -> Noted {
    let word = |at: usize| LAST[at].load(Ordering::SeqCst);
    Noted {
        count: COUNT.load(Ordering::SeqCst),
        signal: word(0) as i32,
        code: word(1) as i32,
        pid: word(2) as u32,
        addr: word(2),
        value: word(3),
        sp: word(4) as usize,
        mask: SigSet(word(5)),
    }
}

/// How many handlers have run.
pub fn count() -> u32 {
    COUNT.load(Ordering::SeqCst)
}

/// A handler with three arguments that notes them, then does its work, if one was given.
extern "C" fn note(signal: i32, info: *const SigInfo, frame: *mut FrameHead) {
    let mut noted = [0; 8];
    noted[0] = signal as u64;
    noted[4] = crate::raw::stack_pointer() as u64;
    // SAFETY: the kernel made both, on this stack.
    unsafe {
        noted[1] = (*info).code as u64;
        noted[2] = info.cast::<u64>().add(2).read();
        noted[3] = info.cast::<u64>().add(3).read();
        // `ucontext` is the part of the frame behind the information.
        let head = frame.byte_sub(SigInfo::SIZE);
        noted[5] = (*head).mask.0;
    }
    for (slot, value) in LAST.iter().zip(noted) {
        slot.store(value, Ordering::SeqCst);
    }
    COUNT.fetch_add(1, Ordering::SeqCst);
    let work = WORK.load(Ordering::SeqCst);
    if work != 0 {
        // SAFETY: only `during` stores there, a function of this type.
        let work = unsafe { core::mem::transmute::<usize, fn(&mut FrameHead)>(work) };
        // SAFETY: as above; nothing else refers to the frame.
        work(unsafe { &mut *frame.byte_sub(SigInfo::SIZE) });
    }
}

/// From now on handlers also do this, with the frame to which they return.
pub fn during(work: fn(&mut FrameHead)) {
    WORK.store(work as usize, Ordering::SeqCst);
}

/// From now on handlers only note.
pub fn only_note() {
    WORK.store(0, Ordering::SeqCst);
}

/// Handles `signal` by noting it.
pub fn handle(signal: Signal, flags: SaFlags) -> rt::sys::Result {
    handle_with(signal, flags, SigSet::EMPTY)
}

/// The same, with more signals blocked meanwhile.
pub fn handle_with(signal: Signal, flags: SaFlags, mask: SigSet) -> rt::sys::Result {
    let flags = (flags | SaFlags::SIGINFO).bits();
    action(signal, &SigAction { handler: note as *const () as u64, flags, restorer: 0, mask })
}

/// Ignores `signal`.
pub fn ignore(signal: Signal) -> rt::sys::Result {
    action(signal, &SigAction { handler: SigAction::SIG_IGN, ..SigAction::default() })
}

/// Lets `signal` do what it does by default.
pub fn default(signal: Signal) -> rt::sys::Result {
    action(signal, &SigAction::default())
}

/// `rt_sigaction` to set.
pub fn action(signal: Signal, action: &SigAction) -> rt::sys::Result {
    call(linux::__NR_rt_sigaction, [signal.number() as usize, core::ptr::from_ref(action).addr(), 0, 8])
}

/// `rt_sigaction` to ask.
pub fn action_of(signal: Signal) -> Result<SigAction, rt::sys::Errno> {
    let mut old = SigAction::default();
    call(linux::__NR_rt_sigaction, [signal.number() as usize, 0, (&raw mut old).addr(), 8])?;
    Ok(old)
}

/// How [`mask`] changes what is blocked.
#[derive(Clone, Copy)]
pub enum How {
    /// These, too.
    Block = 0,
    /// These no more.
    Unblock = 1,
    /// Just these.
    Set = 2,
}

/// `rt_sigprocmask`; what was blocked before.
pub fn mask(how: How, set: SigSet) -> Result<SigSet, rt::sys::Errno> {
    let mut old = SigSet::EMPTY;
    let (new, to) = ((&raw const set).addr(), (&raw mut old).addr());
    call(linux::__NR_rt_sigprocmask, [how as usize, new, to, 8])?;
    Ok(old)
}

/// `rt_sigpending`.
pub fn pending() -> Result<SigSet, rt::sys::Errno> {
    let mut set = SigSet::EMPTY;
    call(linux::__NR_rt_sigpending, [(&raw mut set).addr(), 8])?;
    Ok(set)
}

/// `sigaltstack`; what there was before.
pub fn altstack(new: Option<&SigStack>) -> Result<SigStack, rt::sys::Errno> {
    let mut old = SigStack::default();
    let new = new.map_or(0, |new| core::ptr::from_ref(new).addr());
    call(linux::__NR_sigaltstack, [new, (&raw mut old).addr()])?;
    Ok(old)
}

/// `kill` to this process.
pub fn raise(signal: Signal) -> Result<(), rt::sys::Errno> {
    rt::process::kill(rt::process::getpid(), signal.number() as i32)
}

/// A child that sends `signal` to its parent after `nanos`, `times` times, and exits with 0.
pub fn sender(signal: Signal, nanos: u64, times: u32) -> Result<rt::process::Pid, rt::sys::Errno> {
    let parent = rt::process::getpid();
    rt::process::spawn(|| {
        for _ in 0..times {
            rt::time::sleep_ns(nanos);
            if rt::process::kill(parent, signal.number() as i32).is_err() {
                return 1;
            }
        }
        0
    })
}
