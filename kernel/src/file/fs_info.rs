//! Where a process is in the tree: root, working directory. Mirrors Linux's `struct fs_struct`.

use super::vfs;
use crate::sync::IrqMutex;
use fs::perm::Cred;
use fs::vfs::{FsContext, Path};

/// Root and working directory of one process, or of several that share them.
pub struct FsInfo {
    root: Path,
    cwd: IrqMutex<Path>,
}

impl FsInfo {
    /// At the root of the tree.
    pub fn new() -> FsInfo {
        let root = vfs().root().clone();
        FsInfo { cwd: IrqMutex::new(root.clone()), root }
    }

    /// A copy, for a child.
    pub fn fork(&self) -> FsInfo {
        FsInfo { root: self.root.clone(), cwd: IrqMutex::new(self.cwd()) }
    }

    /// What path walks need to know; everybody is root.
    pub fn context(&self) -> FsContext<'_> {
        FsContext { root: &self.root, cred: &Cred::ROOT }
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The working directory.
    pub fn cwd(&self) -> Path {
        self.cwd.lock().clone()
    }

    /// Goes to `path`, a directory.
    pub fn set_cwd(&self, path: Path) {
        let old = core::mem::replace(&mut *self.cwd.lock(), path);
        drop(old);
    }
}
