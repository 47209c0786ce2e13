//! Files without a place in the tree: pipes and memfds. Mirrors Linux's `alloc_file_pseudo` and its `pipefs` and `shm_mnt`.

use super::Vfs;
use super::dentry::Dentry;
use super::file::{File, FileKind};
use super::mount::{Mount, MountFlags, Path};
use crate::alloc_util::{try_arc, try_copy};
use crate::inode::FileSystem;
use crate::kstat::Timespec;
use crate::perm::Cred;
use crate::pipe::{Pipe, PipeInode, PipeKind};
use crate::seal::Seals;
use crate::tmpfs::{TmpFs, TmpfsOptions};
use abi::{Errno, OpenAccess, OpenFlags};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

/// Where such files come from: a tmpfs that is mounted nowhere.
pub struct Unnamed {
    tmpfs: Arc<TmpFs>,
    mount: Arc<Mount>,
    clock: fn() -> Timespec,
    next_pipe: AtomicU64,
}

impl Unnamed {
    /// Makes the file system. Its limits bind memfds.
    pub fn new(vfs: &Vfs, max_pages: u64, clock: fn() -> Timespec) -> Result<Unnamed, Errno> {
        let dev = vfs.anonymous_dev();
        let options =
            TmpfsOptions { name: "tmpfs", dev, root_mode: 0o777, max_pages, max_inodes: u64::MAX, clock };
        let tmpfs = try_arc(TmpFs::new(options)?)?;
        let root = Dentry::new_root(tmpfs.root()?)?;
        let flags = MountFlags { nodev: true, ..MountFlags::NONE };
        let mount = try_arc(Mount::new(tmpfs.clone(), root, None, flags, String::new()))?;
        Ok(Unnamed { tmpfs, mount, clock, next_pipe: AtomicU64::new(1) })
    }

    /// `memfd_create(2)`: a file with permission bits `mode` and these seals.
    pub fn memfd(&self, cred: &Cred, name: &[u8], mode: u32, seals: Seals) -> Result<Arc<File>, Errno> {
        let inode = self.tmpfs.unnamed_file(mode, cred.uid, cred.gid, seals)?;
        let kind = FileKind::PageCache(inode.mapping()?);
        let mut text = try_copy(b"/memfd:")?;
        text.try_reserve(name.len()).map_err(|_| Errno::ENOMEM)?;
        text.extend_from_slice(name);
        let dentry = Dentry::new_anonymous(inode, &text)?;
        dentry.mark_deleted();
        let path = Path { mount: self.mount.clone(), dentry };
        File::new(path, kind, OpenFlags::RDWR | OpenFlags::LARGEFILE)
    }

    /// `pipe2(2)`: the end to read from and the end to write to, with these flags.
    pub fn pipe(&self, cred: &Cred, flags: OpenFlags) -> Result<[Arc<File>; 2], Errno> {
        let number = self.next_pipe.fetch_add(1, Ordering::Relaxed);
        let stat = self.mount.root.inode().stat()?;
        let pipe = Pipe::new(PipeKind::Unnamed)?;
        let inode = try_arc(PipeInode::new(&pipe, stat.dev, number, (self.clock)(), (cred.uid, cred.gid)))?;
        let dentry = Dentry::new_anonymous(inode, format!("pipe:[{number}]").as_bytes())?;
        let end = |access, flag: OpenFlags| {
            let path = Path { mount: self.mount.clone(), dentry: dentry.clone() };
            File::new(path, FileKind::Pipe(pipe.end(access)?), flags | flag)
        };
        Ok([end(OpenAccess::Read, OpenFlags::empty())?, end(OpenAccess::Write, OpenFlags::WRONLY)?])
    }
}
