//! What `mmap(2)` of an open file maps. Mirrors the part of Linux's `do_mmap` that asks the file.

use super::file::{File, FileKind};
use crate::alloc_util::try_arc;
use crate::io::DeviceMmap;
use crate::seal::{Sealing, Seals};
use abi::{Errno, Prot};
use alloc::sync::Arc;
use core::fmt;
use mm::filemap::{AddressSpace, FileId, MappedFile};

/// What a mapping of a file refers to.
pub enum MmapTarget {
    /// The file's page cache.
    File(Arc<dyn MappedFile>),
    /// Anonymous memory: `/dev/zero`.
    Anonymous,
}

/// Whether stores reach the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// `MAP_SHARED`.
    Shared,
    /// `MAP_PRIVATE`.
    Private,
}

/// An open file as a mapping holds it: the page cache, and the file for its path.
struct MappedOpenFile {
    file: Arc<File>,
    mapping: Arc<AddressSpace>,
    /// It may write to a file that can be sealed against that.
    may_write: bool,
}

impl Drop for MappedOpenFile {
    fn drop(&mut self) {
        if self.may_write
            && let Some(sealing) = self.file.path().dentry.inode().sealing()
        {
            sealing.unmap_shared();
        }
    }
}

impl File {
    /// What `mmap` maps: EBADF for a descriptor that only names, EACCES if the file was not opened so,
    /// EPERM for programs on a mount that allows none, ENODEV for what cannot be mapped.
    ///
    /// A shared mapping of a file that was opened for reading can never become writable (`VM_MAYWRITE`):
    /// the caller asks [`File::may_write_shared`].
    pub fn mmap_target(self: &Arc<File>, prot: Prot, sharing: Sharing) -> Result<MmapTarget, Errno> {
        if matches!(self.kind(), FileKind::Path) {
            return Err(Errno::EBADF);
        }
        let writes = sharing == Sharing::Shared && prot.contains(Prot::WRITE);
        if !self.is_readable() || writes && !self.is_writable() {
            return Err(Errno::EACCES);
        }
        if prot.contains(Prot::EXEC) && self.path().mount.flags.noexec {
            return Err(Errno::EPERM);
        }
        match self.kind() {
            FileKind::PageCache(mapping) => {
                let sealing = self.path().dentry.inode().sealing();
                let may_write = match sealing {
                    Some(sealing) if sharing == Sharing::Shared && self.is_writable() => {
                        sealing.map_shared(writes)?
                    }
                    _ => false,
                };
                let mapped = MappedOpenFile { file: self.clone(), mapping: mapping.clone(), may_write };
                Ok(MmapTarget::File(try_arc(mapped)?))
            }
            FileKind::Device(device) if device.mmap() == DeviceMmap::Anonymous => Ok(MmapTarget::Anonymous),
            _ => Err(Errno::ENODEV),
        }
    }
}

impl File {
    /// Whether a shared mapping may ever write (`VM_MAYWRITE`).
    pub fn may_write_shared(&self) -> bool {
        let sealed = |sealing: &Sealing| sealing.get().intersects(Seals::NO_WRITES);
        self.is_writable() && !self.path().dentry.inode().sealing().is_some_and(sealed)
    }
}

impl MappedFile for MappedOpenFile {
    fn mapping(&self) -> &Arc<AddressSpace> {
        &self.mapping
    }

    fn id(&self) -> FileId {
        let Ok(stat) = self.file.stat() else { return FileId::default() };
        FileId { major: stat.dev.major, minor: stat.dev.minor, ino: stat.ino }
    }

    fn write_path(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let Ok(text) = self.file.path().to_full_text() else { return Err(fmt::Error) };
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                // One mapping is one line.
                if c == '\n' { out.write_str("\\012")? } else { out.write_char(c)? }
            }
            for byte in chunk.invalid() {
                write!(out, "\\{byte:03o}")?;
            }
        }
        Ok(())
    }
}
