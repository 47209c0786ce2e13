//! Mounts: how the trees of several file systems become one. Mirrors Linux's `fs/namespace.c`.

use super::dentry::Dentry;
use crate::alloc_util::{try_arc, try_copy};
use crate::inode::FileSystem;
use crate::kstat::FileType;
use abi::Errno;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use spin::RwLock;

/// What stands behind the path of a file whose name is gone.
const DELETED: &[u8] = b" (deleted)";

/// What a mount restricts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountFlags {
    /// Files cannot be changed (EROFS). Devices can still be written.
    pub read_only: bool,
    /// Device nodes cannot be opened (EACCES).
    pub nodev: bool,
    /// Files cannot be executed (EACCES).
    pub noexec: bool,
    /// Set-id bits of programs do not count.
    pub nosuid: bool,
}

impl MountFlags {
    /// Restricts nothing.
    pub const NONE: MountFlags = MountFlags { read_only: false, nodev: false, noexec: false, nosuid: false };

    /// Read-only, with devices and programs.
    pub const READ_ONLY: MountFlags = MountFlags { read_only: true, ..MountFlags::NONE };
}

/// A file system in its place.
pub struct Mount {
    /// The file system.
    pub fs: Arc<dyn FileSystem>,
    /// Its root.
    pub root: Arc<Dentry>,
    /// The directory that it covers; `None` for the root file system.
    pub at: Option<Path>,
    /// What it restricts.
    pub flags: MountFlags,
    /// What is mounted, for `/proc/mounts`: a device's path or a word.
    pub source: String,
    /// Its number, which no other mount ever has.
    pub id: u32,
}

impl Mount {
    /// The mount of `fs`, whose root is `root`, over `at`.
    pub(super) fn new(
        fs: Arc<dyn FileSystem>,
        root: Arc<Dentry>,
        at: Option<Path>,
        flags: MountFlags,
        source: String,
    ) -> Mount {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Mount { fs, root, at, flags, source, id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}

/// A place in the tree: which mount, and which name in it.
#[derive(Clone)]
pub struct Path {
    /// The mount.
    pub mount: Arc<Mount>,
    /// The name.
    pub dentry: Arc<Dentry>,
}

impl PartialEq for Path {
    fn eq(&self, other: &Path) -> bool {
        Arc::ptr_eq(&self.mount, &other.mount) && Arc::ptr_eq(&self.dentry, &other.dentry)
    }
}

impl Eq for Path {}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.dentry.parent_and_name().map_or(Arc::from([]), |(_, name)| name);
        write!(f, "Path({}:{})", self.mount.source, name.escape_ascii())
    }
}

impl Path {
    /// The root of a mount.
    pub(super) fn root_of(mount: Arc<Mount>) -> Path {
        let dentry = mount.root.clone();
        Path { mount, dentry }
    }

    /// Type of the file there.
    pub fn file_type(&self) -> FileType {
        self.dentry.file_type()
    }

    /// The path's text from `root`, as `getcwd` shows it, or `None` if it cannot be reached from there.
    /// ENAMETOOLONG if the text does not fit into `PATH_MAX`, ENOENT if the directory was removed.
    pub fn to_text(&self, root: &Path) -> Result<Option<Vec<u8>>, Errno> {
        if self.dentry.is_deleted() {
            return Err(Errno::ENOENT);
        }
        let (text, top) = self.climb(Some(root))?;
        Ok((top == *root).then_some(text))
    }

    /// The path's text from the top of the tree, whatever root a process has: for messages and for
    /// `/proc/PID/maps`.
    pub fn to_full_text(&self) -> Result<Vec<u8>, Errno> {
        let mut text = match self.dentry.anonymous_name() {
            Some(name) => try_copy(&name)?,
            None => self.climb(None)?.0,
        };
        if self.dentry.is_deleted() {
            text.try_reserve(DELETED.len()).map_err(|_| Errno::ENOMEM)?;
            text.extend_from_slice(DELETED);
        }
        Ok(text)
    }

    /// Whether both lie on one mount, so that a file can be linked or moved from one to the other.
    pub(super) fn same_mount(&self, other: &Path) -> bool {
        Arc::ptr_eq(&self.mount, &other.mount)
    }

    /// EROFS if nothing may be changed here.
    pub(super) fn want_write(&self) -> Result<(), Errno> {
        if self.mount.flags.read_only { Err(Errno::EROFS) } else { Ok(()) }
    }

    /// Climbs to `root`, or to the top of the tree; returns the names on the way and where it arrived.
    fn climb(&self, root: Option<&Path>) -> Result<(Vec<u8>, Path), Errno> {
        let mut reversed: Vec<u8> = Vec::new();
        let mut place = self.clone();
        while root != Some(&place) {
            if let Some((parent, name)) = place.dentry.parent_and_name() {
                if reversed.len() + name.len() + 1 >= super::PATH_MAX {
                    return Err(Errno::ENAMETOOLONG);
                }
                reversed.try_reserve(name.len() + 1).map_err(|_| Errno::ENOMEM)?;
                reversed.extend(name.iter().rev());
                reversed.push(b'/');
                place = Path { mount: place.mount.clone(), dentry: parent };
            } else {
                match &place.mount.at {
                    Some(at) => place = at.clone(),
                    None => break,
                }
            }
        }
        if reversed.is_empty() {
            reversed.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            reversed.push(b'/');
        }
        reversed.reverse();
        Ok((reversed, place))
    }
}

/// All mounts. Read by each path walk that meets a mount point, written seldom.
pub(super) struct MountTable {
    mounts: RwLock<Vec<Arc<Mount>>>,
}

impl MountTable {
    pub(super) fn new() -> MountTable {
        MountTable { mounts: RwLock::new(Vec::new()) }
    }

    /// Adds a mount. EBUSY if something is mounted on exactly that place already: a path walk would have
    /// crossed into it, so two mounts raced.
    pub(super) fn add(&self, mount: Mount) -> Result<Arc<Mount>, Errno> {
        let mount = try_arc(mount)?;
        let mut mounts = self.mounts.write();
        if mounts.iter().any(|other| other.at == mount.at) {
            return Err(Errno::EBUSY);
        }
        mounts.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        mounts.push(mount.clone());
        if let Some(at) = &mount.at {
            at.dentry.add_mount();
        }
        Ok(mount)
    }

    /// Takes the mount whose root is `path` out of the tree. EINVAL if there is none, EBUSY if something is mounted below
    /// it or somebody uses it, or for the root file system.
    pub(super) fn remove(&self, path: &Path) -> Result<Arc<Mount>, Errno> {
        let mut mounts = self.mounts.write();
        let mine = |mount: &Arc<Mount>| Arc::ptr_eq(mount, &path.mount);
        let index = mounts.iter().position(mine).ok_or(Errno::EINVAL)?;
        if !Arc::ptr_eq(&path.dentry, &path.mount.root) {
            return Err(Errno::EINVAL);
        }
        let Some(at) = &path.mount.at else { return Err(Errno::EBUSY) };
        // Open files and mounts above hold paths, which hold the mount: there may be ours and the table's.
        if Arc::strong_count(&path.mount) > 2 {
            return Err(Errno::EBUSY);
        }
        at.dentry.remove_mount();
        Ok(mounts.remove(index))
    }

    /// Goes down into what is mounted at `path`, if anything is.
    #[inline]
    pub(super) fn cross(&self, path: &mut Path) {
        if path.dentry.is_mountpoint() {
            self.cross_mounts(path);
        }
    }

    fn cross_mounts(&self, path: &mut Path) {
        while path.dentry.is_mountpoint() {
            let above = self.mounts.read().iter().find(|mount| mount.at.as_ref() == Some(path)).cloned();
            match above {
                Some(mount) => *path = Path::root_of(mount),
                None => break,
            }
        }
    }

    /// The mounts, oldest first.
    pub(super) fn list(&self) -> Vec<Arc<Mount>> {
        self.mounts.read().clone()
    }
}
