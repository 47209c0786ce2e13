//! Bringing pages in before a program touches them (Linux's `__mm_populate`). Each is a fault like the program's own, so
//! the lock is not held while one waits for the disk.

use super::current;
use super::user_mm::UserMm;
use ::mm::fault::VmFault;
use ::mm::mmap::Populate;
use core::ops::Range;

impl UserMm {
    /// Makes the pages of `range` present, up to the first that cannot be; why it cannot. `Oom` too when the task is about
    /// to die.
    pub fn populate(&self, range: Range<u64>, how: Populate) -> Result<(), VmFault> {
        self.populate_from(&mut { range.start }, range.end, how)
    }

    /// The same for a call that succeeds whatever comes of it: goes on behind an area that cannot be populated.
    pub fn populate_as_mapped(&self, start: u64, end: u64) {
        let mut next = start;
        while next < end {
            match self.populate_from(&mut next, end, Populate::AsMapped) {
                Ok(()) | Err(VmFault::Oom) => return,
                Err(_) => {
                    let area = self.lock().vmas().find(next).map(|vma| vma.end);
                    let Some(area_end) = area.filter(|area_end| *area_end > next) else { return };
                    next = area_end;
                }
            }
        }
    }

    /// `next` is where it came to.
    fn populate_from(&self, next: &mut u64, end: u64, how: Populate) -> Result<(), VmFault> {
        while *next < end {
            let found = self.lock().next_to_populate(next, end, how)?;
            let Some(access) = found else { return Ok(()) };
            if current().fatal_signal_pending() {
                return Err(VmFault::Oom);
            }
            self.handle_fault(*next, access)?;
            *next += self.page_size().bytes();
        }
        Ok(())
    }
}
