//! Where a process is in the tree: root, working directory. Mirrors Linux's `struct fs_struct`.

use super::vfs;
use crate::sync::IrqMutex;
use crate::task::cred::Cred;
use alloc::sync::Arc;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, Ordering};
use fs::perm;
use fs::vfs::{FsContext, Path};

/// What init begins with.
const DEFAULT_UMASK: u32 = 0o022;

/// Root and working directory of one process, or of several that share them.
pub struct FsInfo {
    root: IrqMutex<Arc<Path>>,
    cwd: IrqMutex<Path>,
    umask: AtomicU32,
}

impl FsInfo {
    /// At the root of the tree.
    pub fn new() -> FsInfo {
        let root = vfs().root().clone();
        FsInfo {
            cwd: IrqMutex::new(root.clone()),
            root: IrqMutex::new(Arc::new(root)),
            umask: AtomicU32::new(DEFAULT_UMASK),
        }
    }

    /// A copy, for a child.
    pub fn fork(&self) -> FsInfo {
        FsInfo {
            root: IrqMutex::new(self.root()),
            cwd: IrqMutex::new(self.cwd()),
            umask: AtomicU32::new(self.umask()),
        }
    }

    /// The root directory.
    pub fn root(&self) -> Arc<Path> {
        self.root.lock().clone()
    }

    /// The working directory.
    pub fn cwd(&self) -> Path {
        self.cwd.lock().clone()
    }

    /// Permissions that new files do not get.
    pub fn umask(&self) -> u32 {
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

    /// Makes `path`, a directory, the top of what the process sees.
    pub fn set_root(&self, path: Path) {
        let new = Arc::new(path);
        let old = core::mem::replace(&mut *self.root.lock(), new);
        drop(old);
    }
}

/// What a process brings to one call on names: where it is in the tree, and in whose name. Stays as it is for the time of
/// the call, whatever other threads do.
pub struct FsView {
    info: Arc<FsInfo>,
    root: Arc<Path>,
    cred: Arc<Cred>,
    /// In whose name instead, if the call is about the real ids.
    real: Option<perm::Cred>,
}

impl FsView {
    /// A process at `info` that acts as `cred`.
    pub fn new(info: Arc<FsInfo>, cred: Arc<Cred>) -> FsView {
        FsView { root: info.root(), info, cred, real: None }
    }

    /// What path walks need to know.
    pub fn context(&self) -> FsContext<'_> {
        let cred = self.real.as_ref().unwrap_or(&self.cred.file);
        FsContext { root: &self.root, cred, umask: self.info.umask() }
    }

    /// The same with the real ids, which `access(2)` asks about.
    pub fn with_real_ids(&self) -> FsView {
        let real = Some(self.cred.real_for_files());
        FsView { info: self.info.clone(), root: self.root.clone(), cred: self.cred.clone(), real }
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// In whose name.
    pub fn cred(&self) -> &Arc<Cred> {
        &self.cred
    }
}

impl Deref for FsView {
    type Target = FsInfo;

    fn deref(&self) -> &FsInfo {
        &self.info
    }
}
