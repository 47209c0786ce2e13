//! pselect6: waiting for descriptors named by bit sets. Mirrors `core_sys_select` of Linux's `fs/select.c`.

use super::super::SysResult;
use super::super::layout::{SigsetArgument, Timespec};
use super::super::signal::optional_sigset;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::drivers::timer;
use crate::sync::park;
use crate::task::current;
use crate::task::signal::with_sigmask;
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use fs::io::{PollEvents, PollKeys};
use fs::vfs::File;

const BITS: usize = u64::BITS as usize;

/// What each of the three sets asks about: reading, writing, what is exceptional.
const ASKED: [PollEvents; 3] = [
    PollEvents::IN.union(PollEvents::RDNORM).union(PollEvents::HUP).union(PollEvents::ERR),
    PollEvents::OUT.union(PollEvents::WRNORM).union(PollEvents::ERR),
    PollEvents::PRI,
];

/// One descriptor that is in a set.
struct Selected {
    fd: usize,
    /// In which of the sets, as bits.
    sets: u8,
    file: Arc<File>,
}

impl Selected {
    /// In which sets it stays, as bits.
    fn ready(&self) -> u8 {
        let events = self.file.poll(&mut PollKeys::default());
        let bit = |index: usize| u8::from(events.intersects(ASKED[index])) << index;
        self.sets & (bit(0) | bit(1) | bit(2))
    }
}

/// `pselect6(2)`.
pub fn pselect6(frame: &mut TrapFrame) -> SysResult {
    let [count, read, write, except, timeout, mask] = frame.args();
    let timeout = UserPtr::<Timespec>::new(timeout);
    let deadline = match timeout.is_null() {
        true => None,
        false => Some(timer::now().saturating_add(timeout.read()?.to_nanos()?)),
    };
    let mask = match UserPtr::<SigsetArgument>::new(mask) {
        none if none.is_null() => None,
        argument => {
            let SigsetArgument { mask, size } = argument.read()?;
            optional_sigset(mask, size)?
        }
    };
    let result = with_sigmask(mask, || select(count, [read, write, except], deadline));
    // What is left of the time; a program that gave a place that cannot be written hears nothing of it.
    if let Some(deadline) = deadline {
        let _ = timeout.write(Timespec::from_nanos(deadline.saturating_sub(timer::now())));
    }
    result
}

/// Waits for the descriptors below `count` in the `sets`, until the clock reaches `deadline`; how many bits are left in them.
fn select(count: u64, sets: [u64; 3], deadline: Option<u64>) -> SysResult {
    let count = usize::try_from(count as i32).map_err(|_| Errno::EINVAL)?;
    let files = current().files()?;
    // Beyond the table there is nothing, whatever the sets say.
    let count = count.min((files.len() as usize).next_multiple_of(BITS).max(BITS));
    let words = count.div_ceil(BITS);
    let mut selected = Vec::new();
    let mut keys = Vec::new();
    for word in 0..words {
        let mut asked = [0; 3];
        for (asked, set) in asked.iter_mut().zip(sets) {
            if set != 0 {
                *asked = UserPtr::<u64>::new(set).at(word)?.read()?;
            }
        }
        let in_word = (count - word * BITS).min(BITS);
        for bit in (0..in_word).filter(|bit| asked.iter().any(|set| set >> bit & 1 != 0)) {
            let fd = word * BITS + bit;
            let file = files.get(fd as u64)?;
            let member = |index: usize| ((asked[index] >> bit & 1) as u8) << index;
            let mut mine = PollKeys::default();
            file.poll(&mut mine);
            for key in mine.iter() {
                keys.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                keys.push(key);
            }
            selected.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            selected.push(Selected { fd, sets: member(0) | member(1) | member(2), file });
        }
    }
    park::wait_for_any(&keys, deadline, &mut || selected.iter().any(|one| one.ready() != 0))?;
    let mut nr_bits = 0;
    let mut rest = selected.iter().peekable();
    for word in 0..words {
        let mut left = [0u64; 3];
        while let Some(one) = rest.next_if(|one| one.fd / BITS == word) {
            let ready = one.ready();
            nr_bits += u64::from(ready.count_ones());
            for (index, left) in left.iter_mut().enumerate() {
                *left |= u64::from(ready >> index & 1) << (one.fd % BITS);
            }
        }
        for (left, set) in left.into_iter().zip(sets) {
            if set != 0 {
                UserPtr::<u64>::new(set).at(word)?.write(left)?;
            }
        }
    }
    Ok(nr_bits)
}
