//! EROFS directories. A directory is a file of blocks; each block holds an array of entries and behind
//! it their names; names are sorted over the whole directory, so that a lookup is a binary search.
//! Mirrors Linux's `fs/erofs/dir.c` and `fs/erofs/namei.c`.

use super::file::ErofsFile;
use super::ondisk::Dirent;
use crate::alloc_util::try_zeroed;
use crate::inode::{DirEntry, DirVisitor};
use crate::kstat::FileType;
use abi::Errno;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::ControlFlow;
use zerocopy::FromBytes;

const ENTRY_SIZE: usize = size_of::<Dirent>();
/// Longest name.
const NAME_LEN: usize = 255;

/// Finds `name`; returns its nid.
pub fn lookup(dir: &ErofsFile, name: &[u8]) -> Result<u64, Errno> {
    // The last block whose first name is not after `name` is the only one that can hold it.
    let (mut low, mut high) = (0, nr_blocks(dir));
    let mut candidate = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let block = Block::read(dir, middle)?;
        match block.entry(0)?.name.cmp(name) {
            Ordering::Equal => return Ok(block.entry(0)?.nid),
            Ordering::Less => {
                low = middle + 1;
                candidate = Some(block);
            }
            Ordering::Greater => high = middle,
        }
    }
    let Some(block) = candidate else { return Err(Errno::ENOENT) };
    let (mut low, mut high) = (0, block.count);
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = block.entry(middle)?;
        match entry.name.cmp(name) {
            Ordering::Equal => return Ok(entry.nid),
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
        }
    }
    Err(Errno::ENOENT)
}

/// Visits the entries from cookie `pos`. A cookie is the entry's byte position in the directory, so any
/// number from user space leads to an entry, to the next block, or to the end.
pub fn readdir(dir: &ErofsFile, pos: u64, visit: DirVisitor<'_>) -> Result<(), Errno> {
    let block_size = dir.volume().block_size();
    let mut number = pos / block_size;
    let mut index = (pos % block_size).div_ceil(ENTRY_SIZE as u64) as usize;
    while number < nr_blocks(dir) {
        let block = Block::read(dir, number)?;
        while index < block.count {
            let entry = block.entry(index)?;
            index += 1;
            let next = if index == block.count {
                (number + 1) * block_size
            } else {
                number * block_size + (index * ENTRY_SIZE) as u64
            };
            let found = DirEntry { ino: entry.nid, file_type: entry.file_type, name: entry.name, next };
            if visit(&found) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        number += 1;
        index = 0;
    }
    Ok(())
}

fn nr_blocks(dir: &ErofsFile) -> u64 {
    dir.size().div_ceil(dir.volume().block_size())
}

/// One directory block whose entry count has been checked; entries are checked one by one.
struct Block<'a> {
    dir: &'a ErofsFile,
    bytes: Vec<u8>,
    count: usize,
}

struct Entry<'a> {
    nid: u64,
    file_type: Option<FileType>,
    name: &'a [u8],
}

impl<'a> Block<'a> {
    fn read(dir: &'a ErofsFile, number: u64) -> Result<Block<'a>, Errno> {
        let block_size = dir.volume().block_size();
        let pos = number * block_size;
        let mut bytes = try_zeroed(block_size.min(dir.size() - pos) as usize)?;
        dir.read_data(pos, &mut bytes)?;
        // The first name begins where the entries end: this is how a block says how many it has.
        let first = Dirent::read_from_prefix(&bytes).map(|(entry, _)| usize::from(entry.nameoff.get()));
        let count = match first {
            Ok(end) if end >= ENTRY_SIZE && end % ENTRY_SIZE == 0 && end < bytes.len() => end / ENTRY_SIZE,
            _ => return Err(dir.volume().damaged(dir.nid(), "directory block without entries")),
        };
        Ok(Block { dir, bytes, count })
    }

    fn raw(&self, index: usize) -> Option<Dirent> {
        let bytes = self.bytes.get(index * ENTRY_SIZE..)?;
        Dirent::read_from_prefix(bytes).ok().map(|(entry, _)| entry)
    }

    /// Entry `index`, which is below `count`.
    fn entry(&self, index: usize) -> Result<Entry<'_>, Errno> {
        self.decode(index)
            .ok_or_else(|| self.dir.volume().damaged(self.dir.nid(), "directory entry without a valid name"))
    }

    fn decode(&self, index: usize) -> Option<Entry<'_>> {
        let entry = self.raw(index)?;
        let begin = usize::from(entry.nameoff.get());
        let name = if index + 1 < self.count {
            let end = usize::from(self.raw(index + 1)?.nameoff.get());
            self.bytes.get(begin..end)?
        } else {
            // The last name ends with the block, or with a NUL before that.
            self.bytes.get(begin..)?.split(|byte| *byte == 0).next()?
        };
        let valid = begin >= self.count * ENTRY_SIZE
            && (1..=NAME_LEN).contains(&name.len())
            && !name.iter().any(|byte| matches!(byte, 0 | b'/'));
        valid.then(|| Entry { nid: entry.nid.get(), file_type: file_type(entry.file_type), name })
    }
}

/// `FT_*` as file systems store it. A number without a meaning is "unknown", as in Linux.
fn file_type(raw: u8) -> Option<FileType> {
    Some(match raw {
        1 => FileType::Regular,
        2 => FileType::Directory,
        3 => FileType::CharDevice,
        4 => FileType::BlockDevice,
        5 => FileType::Fifo,
        6 => FileType::Socket,
        7 => FileType::Symlink,
        _ => return None,
    })
}
