//! Waiting for files: ppoll. Mirrors Linux's `fs/select.c`.

use super::super::SysResult;
use super::super::layout::{Pollfd, Timespec};
use super::super::signal::optional_sigset;
use super::open_limit;
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

/// One descriptor that is waited for.
struct Polled {
    request: Pollfd,
    /// `None` if there is no such descriptor.
    file: Option<Arc<File>>,
}

impl Polled {
    /// What is to be reported, and where to wait for it.
    fn events(&self, keys: &mut PollKeys) -> PollEvents {
        if self.request.fd < 0 {
            return PollEvents::empty();
        }
        let Some(file) = &self.file else { return PollEvents::NVAL };
        let always = PollEvents::ERR | PollEvents::HUP | PollEvents::NVAL;
        file.poll(keys) & (PollEvents::from_bits_truncate(self.request.events) | always)
    }
}

/// `ppoll(2)`.
pub fn ppoll(frame: &mut TrapFrame) -> SysResult {
    let [list, count, timeout, mask, mask_size, _] = frame.args();
    let timeout = UserPtr::<Timespec>::new(timeout);
    let deadline = match timeout.is_null() {
        true => None,
        false => Some(timer::now().saturating_add(timeout.read()?.to_nanos()?)),
    };
    let mask = optional_sigset(mask, mask_size)?;
    let result = with_sigmask(mask, || poll(list, count, deadline));
    // What is left of the time; a program that gave a place that cannot be written hears nothing of it.
    if let Some(deadline) = deadline {
        let _ = timeout.write(Timespec::from_nanos(deadline.saturating_sub(timer::now())));
    }
    result
}

/// Waits for one of the `count` descriptors at `list`, until the clock reaches `deadline`; how many can be reported.
fn poll(list: u64, count: u64, deadline: Option<u64>) -> SysResult {
    let task = current();
    let count = count as u32 as usize;
    if count as u64 > open_limit(&task) {
        return Err(Errno::EINVAL);
    }
    let list = UserPtr::<Pollfd>::new(list);
    let files = task.files()?;
    let mut polled = Vec::new();
    polled.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
    let mut keys = Vec::new();
    for index in 0..count {
        let request = list.at(index)?.read()?;
        let file = if request.fd < 0 { None } else { files.get(request.fd as u64).ok() };
        let entry = Polled { request, file };
        let mut mine = PollKeys::default();
        entry.events(&mut mine);
        for key in mine.iter() {
            keys.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            keys.push(key);
        }
        polled.push(entry);
    }
    let mut ready = || polled.iter().any(|entry| !entry.events(&mut PollKeys::default()).is_empty());
    park::wait_for_any(&keys, deadline, &mut ready)?;
    let mut nr_ready = 0;
    for (index, entry) in polled.iter().enumerate() {
        let revents = entry.events(&mut PollKeys::default()).bits();
        nr_ready += u64::from(revents != 0);
        list.at(index)?.write(Pollfd { revents, ..entry.request })?;
    }
    Ok(nr_ready)
}
