//! What file systems are made of whose files the kernel writes as they are read: `/proc` and `/sys`. The trees are in
//! the kernel, which knows what there is to say; here is what they have in common. Mirrors Linux's `fs/seq_file.c` and
//! the parts of `fs/proc/generic.c` that `fs/libfs.c` would have.
//!
//! - [`SpecialFile`]: an open file whose bytes are not in the page cache.
//! - [`Seq`]: one of text, made piece by piece by a [`SeqSource`] (`seq`), which writes into a [`Text`] (`text`).
//! - [`TableDirectory`] and [`ListDirectory`]: directories that are written down, and those that grow by themselves.
//! - [`Attributes`] and [`visit_dots`]: what `stat` and the beginning of a directory tell (`tree`).

mod listing;
mod seq;
mod table;
mod text;
mod tree;

pub use listing::{ListDirectory, Listed, Listing};
pub use seq::{Seq, SeqSource};
pub use table::{Content, Entry, Subject, TableDirectory};
pub use text::Text;
pub use tree::{Attributes, FIRST_ENTRY, visit_dots};

use crate::io::{ReadSink, WriteSource};
use abi::Errno;

/// An open file whose bytes are not in the page cache. Made anew by each open, so it may keep what its reader saw.
///
/// Any method may sleep, and memory behind a sink or source may be that of a process: no lock that a page fault takes is
/// held while bytes go there.
pub trait SpecialFile: Send + Sync {
    /// Delivers bytes from `pos` on; returns how many, 0 only at the end or for an empty sink.
    fn read(&self, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno>;

    /// Takes bytes for `pos`; returns how many.
    fn write(&self, _pos: u64, _source: &mut dyn WriteSource) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }
}
