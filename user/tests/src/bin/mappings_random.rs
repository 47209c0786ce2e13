//! Thousands of random operations on an arena of pages, against a model of one entry per page: what is
//! mapped, what it allows, what is in it; in this process and in children.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_clock_gettime, __NR_madvise, __NR_mremap, __NR_nanosleep, CLOCK_MONOTONIC, MADV_DONTNEED,
    MREMAP_FIXED, MREMAP_MAYMOVE, O_RDONLY,
};
use tests::{
    ANONYMOUS, Errno, FIXED, Outcome, PRIVATE, READ, READ_WRITE, Random, anonymous, call, check, equal, good,
    in_child, mmap, mprotect, munmap, open, pattern, raw,
};

tests::program!(run);

const PAGES: usize = 96;
const OPERATIONS: usize = 4000;
const CHECK_EACH: usize = 16;
const FORK_EACH: usize = 100;
const NONE: usize = 0;

/// What one page should be.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Page {
    Hole,
    Mapped { prot: usize, file_page: Option<usize>, value: Value },
}

/// What its first word should be.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Value {
    /// Zero, or the file's.
    Fresh,
    Written(u64),
}

struct Arena {
    base: usize,
    fd: usize,
    pages: [Page; PAGES],
    random: Random,
    stamp: u64,
}

fn run(_: rt::Args) -> Outcome {
    let base = good!(anonymous(PAGES * page()));
    good!(munmap(base, PAGES * page()));
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let mut arena = Arena { base, fd, pages: [Page::Hole; PAGES], random: Random(0x5eed), stamp: 0 };
    for step in 1..=OPERATIONS {
        arena.operate()?;
        if step % CHECK_EACH == 0 {
            arena.verify()?;
        }
        if step % FORK_EACH == 0 {
            in_child!(|| {
                arena.verify()?;
                (0..20).try_for_each(|_| arena.operate())?;
                arena.verify()
            });
            arena.verify()?;
        }
    }
    Ok(())
}

fn page() -> usize {
    rt::page_size()
}

impl Arena {
    fn address(&self, index: usize) -> usize {
        self.base + index * page()
    }

    fn choose(&mut self, below: usize) -> usize {
        (self.random.number() % below as u64) as usize
    }

    /// One random operation, in the kernel and in the model.
    fn operate(&mut self) -> Outcome {
        let first = self.choose(PAGES);
        let count = 1 + self.choose(12.min(PAGES - first));
        let prot = [NONE, READ, READ_WRITE, READ_WRITE][self.choose(4)];
        let (addr, len) = (self.address(first), count * page());
        match self.choose(10) {
            0 | 1 => {
                equal!(mmap(addr, len, prot, ANONYMOUS | FIXED, usize::MAX, 0), Ok(addr));
                self.pages[first..first + count].fill(Page::Mapped {
                    prot,
                    file_page: None,
                    value: Value::Fresh,
                });
            }
            2 => {
                let file_page = self.choose((pattern::LEN / page() - count).min(500));
                equal!(mmap(addr, len, prot, PRIVATE | FIXED, self.fd, file_page * page()), Ok(addr));
                for (index, slot) in self.pages[first..first + count].iter_mut().enumerate() {
                    *slot = Page::Mapped { prot, file_page: Some(file_page + index), value: Value::Fresh };
                }
            }
            3 => {
                equal!(munmap(addr, len), Ok(0));
                self.pages[first..first + count].fill(Page::Hole);
            }
            4 | 5 => self.protect(first, count, prot)?,
            6 => self.forget(first, count)?,
            7 => self.move_one(first)?,
            _ => self.write(first, count),
        }
        Ok(())
    }

    fn protect(&mut self, first: usize, count: usize, wanted: usize) -> Outcome {
        let result = mprotect(self.address(first), count * page(), wanted);
        for slot in &mut self.pages[first..first + count] {
            match slot {
                Page::Mapped { prot, .. } => *prot = wanted,
                // All before the hole is changed, nothing behind it.
                Page::Hole => {
                    equal!(result, Err(Errno::ENOMEM));
                    return Ok(());
                }
            }
        }
        equal!(result, Ok(0));
        Ok(())
    }

    fn forget(&mut self, first: usize, count: usize) -> Outcome {
        let result = call(__NR_madvise, [self.address(first), count * page(), MADV_DONTNEED as usize]);
        let slots = &mut self.pages[first..first + count];
        let holes = slots.contains(&Page::Hole);
        equal!(result, if holes { Err(Errno::ENOMEM) } else { Ok(0) });
        for slot in slots {
            if let Page::Mapped { value, .. } = slot {
                *value = Value::Fresh;
            }
        }
        Ok(())
    }

    /// One page goes to another place, over what is there.
    fn move_one(&mut self, from: usize) -> Outcome {
        let to = self.choose(PAGES);
        if to == from {
            return Ok(());
        }
        let flags = (MREMAP_MAYMOVE | MREMAP_FIXED) as usize;
        let (old, new) = (self.address(from), self.address(to));
        let result = call(__NR_mremap, [old, page(), page(), flags, new]);
        if self.pages[from] == Page::Hole {
            equal!(result, Err(Errno::EFAULT));
            // Linux has made room before it looks for what is to be moved, in some versions.
            good!(munmap(new, page()));
            self.pages[to] = Page::Hole;
        } else {
            equal!(result, Ok(new));
            self.pages[to] = core::mem::replace(&mut self.pages[from], Page::Hole);
        }
        Ok(())
    }

    /// Writes a word of its own to each page that allows it.
    fn write(&mut self, first: usize, count: usize) {
        for index in first..first + count {
            let addr = self.address(index);
            if let Page::Mapped { prot: READ_WRITE, value, .. } = &mut self.pages[index] {
                self.stamp += 1;
                raw::poke64(addr, self.stamp);
                *value = Value::Written(self.stamp);
            }
        }
    }

    /// Compares every page with the model.
    fn verify(&self) -> Outcome {
        for (index, expected) in self.pages.iter().enumerate() {
            let addr = self.address(index);
            let (readable, writable) = match expected {
                Page::Hole | Page::Mapped { prot: NONE, .. } => (false, false),
                Page::Mapped { prot, .. } => (true, *prot == READ_WRITE),
            };
            // The kernel tries for us: reads a time to sleep, which is 0 or no time at all, and writes one.
            let sleep = call(__NR_nanosleep, [addr + 128, 0]);
            check!(
                (sleep != Err(Errno::EFAULT)) == readable,
                "page {index}: {expected:?}, a read gives {sleep:?}"
            );
            let time = call(__NR_clock_gettime, [CLOCK_MONOTONIC as usize, addr + 64]);
            check!(time.is_ok() == writable, "page {index}: {expected:?}, a write gives {time:?}");
            let Page::Mapped { file_page, value, .. } = expected else { continue };
            if !readable {
                continue;
            }
            let first = match (value, file_page) {
                (Value::Written(word), _) => *word,
                (Value::Fresh, None) => 0,
                (Value::Fresh, Some(number)) => file_word(number * page()),
            };
            equal!(raw::peek64(addr), first);
            let end = file_page.map_or(0, |number| file_word((number + 1) * page() - 16));
            equal!(raw::peek64(addr + page() - 16), end);
        }
        Ok(())
    }
}

/// The word of the patterned file at `offset`.
fn file_word(offset: usize) -> u64 {
    u64::from_le_bytes(core::array::from_fn(|index| pattern::byte(offset + index)))
}
