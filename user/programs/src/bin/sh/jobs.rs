//! Processes in the background.

use alloc::vec::Vec;
use rt::process::{self, Ended, Pid, Wait};
use rt::sys::Errno;

/// A process that the shell did not wait for.
struct Job {
    pid: Pid,
    ended: Option<Ended>,
}

/// All of them, oldest first.
#[derive(Default)]
pub struct Jobs {
    list: Vec<Job>,
    last: Option<Pid>,
}

impl Jobs {
    /// Notes a new process and returns its number in the list, from 1.
    pub fn add(&mut self, pid: Pid) -> usize {
        self.last = Some(pid);
        self.list.push(Job { pid, ended: None });
        self.list.len()
    }

    /// `$!`
    pub fn last(&self) -> Option<Pid> {
        self.last
    }

    /// Forgets all: they are not this process's children.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Sees who has ended, without waiting.
    pub fn poll(&mut self) {
        for job in self.list.iter_mut().filter(|job| job.ended.is_none()) {
            if let Ok(Some((_, ended))) = process::wait(job.pid, Wait::Poll) {
                job.ended = Some(ended);
            }
        }
    }

    /// Waits for one and forgets it; ECHILD if there is no such job, EINTR if a signal came before its end.
    pub fn wait(&mut self, pid: Pid) -> Result<Ended, Errno> {
        let at = self.list.iter().position(|job| job.pid == pid).ok_or(Errno::ECHILD)?;
        let ended = match self.list[at].ended {
            Some(ended) => Ok(ended),
            None => process::wait_for(pid),
        };
        if ended != Err(Errno::EINTR) {
            self.list.remove(at);
        }
        ended
    }

    /// The processes.
    pub fn pids(&self) -> Vec<Pid> {
        self.list.iter().map(|job| job.pid).collect()
    }

    /// The process with this number in the list.
    pub fn number(&self, number: usize) -> Option<Pid> {
        self.list.get(number.checked_sub(1)?).map(|job| job.pid)
    }

    /// Number, process and end of each; those that have ended are forgotten.
    pub fn report(&mut self, mut show: impl FnMut(usize, Pid, Option<Ended>)) {
        self.poll();
        for (index, job) in self.list.iter().enumerate() {
            show(index + 1, job.pid, job.ended);
        }
        self.list.retain(|job| job.ended.is_none());
    }
}
