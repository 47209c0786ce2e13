//! Where a process is in the tree: root, working directory. Mirrors Linux's `struct fs_struct`.

use super::vfs;
use crate::sync::IrqMutex;
use core::sync::atomic::{AtomicU32, Ordering};
use fs::perm::Cred;
use fs::vfs::{FsContext, Path};

/// What init begins with.
const DEFAULT_UMASK: u32 = 0o022;

/// Root and working directory of one process, or of several that share them.
pub struct FsInfo {
    root: Path,
    cwd: IrqMutex<Path>,
    umask: AtomicU32,
}

impl FsInfo {
    /// At the root of the tree.
    pub fn new() -> FsInfo {
        let root = vfs().root().clone();
        FsInfo { cwd: IrqMutex::new(root.clone()), root, umask: AtomicU32::new(DEFAULT_UMASK) }
    }

    /// A copy, for a child.
    pub fn fork(&self) -> FsInfo {
        FsInfo {
            root: self.root.clone(),
            cwd: IrqMutex::new(self.cwd()),
            umask: AtomicU32::new(self.umask()),
        }
    }

    /// What path walks need to know; everybody is root.
    pub fn context(&self) -> FsContext<'_> {
        FsContext { root: &self.root, cred: &Cred::ROOT, umask: self.umask() }
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The working directory.
    pub fn cwd(&self) -> Path {
        self.cwd.lock().clone()
    }

    /// Permissions that new files do not get.
    fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }

    /// Replaces these; returns the old ones.
    pub fn set_umask(&self, umask: u32) -> u32 {
        self.umask.swap(umask, Ordering::Relaxed)
    }

    /// Goes to `path`, a directory.
    pub fn set_cwd(&self, path: Path) {
        let old = core::mem::replace(&mut *self.cwd.lock(), path);
        drop(old);
    }
}
