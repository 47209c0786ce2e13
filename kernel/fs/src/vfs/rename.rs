//! `renameat2(2)`. Mirrors `do_renameat2`, `lock_rename` and `vfs_rename` of Linux's `fs/namei.c`.

use super::Vfs;
use super::dentry::{Dentry, Name, lookup_child_locked};
use super::mount::Path;
use super::namei::{Place, may_create, may_delete};
use super::walk::{FsContext, Last, check_name};
use crate::inode::RenameKind;
use crate::kstat::FileType;
use crate::perm::{Cred, MAY_WRITE, permission};
use crate::sleep::SleepGuard;
use abi::Errno;
use alloc::sync::Arc;

/// What `renameat2` does about a file that has the new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameMode {
    /// Replaces it.
    Replace,
    /// EEXIST (`RENAME_NOREPLACE`).
    NoReplace,
    /// The two change places (`RENAME_EXCHANGE`).
    Exchange,
}

/// Both directories' names, locked.
struct Locked<'a> {
    /// The file, that names the one above the other, does not change while two directories are locked.
    _tree: Option<SleepGuard<'a, ()>>,
    _first: SleepGuard<'a, ()>,
    _second: Option<SleepGuard<'a, ()>>,
}

impl Vfs {
    /// `renameat2(2)`: `old` and `new` are a base and a path from there each.
    pub fn rename(
        &self,
        context: FsContext<'_>,
        old: (&Path, &[u8]),
        new: (&Path, &[u8]),
        mode: RenameMode,
    ) -> Result<(), Errno> {
        let from = self.find_parent(context, old.0, old.1)?;
        let to = self.find_parent(context, new.0, new.1)?;
        if !from.parent.same_mount(&to.parent) {
            return Err(Errno::EXDEV);
        }
        let Last::Name(old_name) = from.last else { return Err(Errno::EBUSY) };
        let Last::Name(new_name) = to.last else {
            return Err(if mode == RenameMode::NoReplace { Errno::EEXIST } else { Errno::EBUSY });
        };
        from.parent.want_write()?;
        let (old_name, new_name) = (check_name(old_name)?, check_name(new_name)?);
        let (old_dir, new_dir) = (&from.parent.dentry, &to.parent.dentry);
        let _locked = self.lock_rename(old_dir, new_dir);

        let moved = lookup_child_locked(old_dir, old_name, &self.recent)?;
        let target = match lookup_child_locked(new_dir, new_name, &self.recent) {
            Ok(_) if mode == RenameMode::NoReplace => return Err(Errno::EEXIST),
            Ok(target) => Some(target),
            Err(Errno::ENOENT) if mode == RenameMode::Exchange => return Err(Errno::ENOENT),
            Err(Errno::ENOENT) => None,
            Err(error) => return Err(error),
        };
        check_slashes(&from, &to, &moved, target.as_ref(), mode)?;
        // A directory does not go below itself.
        if moved.is_above(new_dir) {
            return Err(Errno::EINVAL);
        }
        if let Some(target) = &target
            && target.is_above(old_dir)
        {
            return Err(if mode == RenameMode::Exchange { Errno::EINVAL } else { Errno::ENOTEMPTY });
        }
        // Two names of one file: nothing to do, as POSIX wants it.
        if target.as_ref().is_some_and(|target| Arc::ptr_eq(target.inode(), moved.inode())) {
            return Ok(());
        }
        may_rename(context.cred, old_dir, &moved, new_dir, target.as_ref(), mode)?;
        if moved.is_mountpoint() || target.as_ref().is_some_and(|target| target.is_mountpoint()) {
            return Err(Errno::EBUSY);
        }

        // All that can fail comes before the file system's part.
        let name = Name::new(new_name)?;
        new_dir.reserve_child()?;
        if mode == RenameMode::Exchange {
            let Some(target) = target else { return Err(Errno::ENOENT) };
            let back = Name::new(old_name)?;
            old_dir.reserve_child()?;
            old_dir.inode().rename(old_name, new_dir.inode(), new_name, RenameKind::Exchange)?;
            moved.move_to(new_dir, name);
            target.move_to(old_dir, back);
            return Ok(());
        }
        let _below = target.as_ref().filter(|target| is_directory(target)).map(|target| target.lock_names());
        old_dir.inode().rename(old_name, new_dir.inode(), new_name, RenameKind::Replace)?;
        if let Some(target) = &target {
            target.unhash(&self.recent);
        }
        moved.move_to(new_dir, name);
        Ok(())
    }

    /// Locks the names of both directories: the one above the other first, so that this and a removal of one from the
    /// other do not wait for each other. Only one task at a time locks two, so that above stays above.
    fn lock_rename<'a>(&'a self, a: &'a Arc<Dentry>, b: &'a Arc<Dentry>) -> Locked<'a> {
        if Arc::ptr_eq(a, b) {
            return Locked { _tree: None, _first: a.lock_names(), _second: None };
        }
        let tree = self.renames.lock();
        let (first, second) = if b.is_above(a) { (b, a) } else { (a, b) };
        Locked { _tree: Some(tree), _first: first.lock_names(), _second: Some(second.lock_names()) }
    }
}

fn is_directory(dentry: &Dentry) -> bool {
    dentry.inode().file_type() == FileType::Directory
}

/// ENOTDIR for a slash behind the name of what is no directory.
fn check_slashes(
    from: &Place<'_>,
    to: &Place<'_>,
    moved: &Dentry,
    target: Option<&Arc<Dentry>>,
    mode: RenameMode,
) -> Result<(), Errno> {
    let exchange = mode == RenameMode::Exchange;
    if exchange && to.trailing_slash && target.is_some_and(|target| !is_directory(target)) {
        return Err(Errno::ENOTDIR);
    }
    let refused = !is_directory(moved) && (from.trailing_slash || !exchange && to.trailing_slash);
    if refused { Err(Errno::ENOTDIR) } else { Ok(()) }
}

/// Whether the names may change so, and whether the types allow it.
fn may_rename(
    cred: &Cred,
    old_dir: &Arc<Dentry>,
    moved: &Dentry,
    new_dir: &Arc<Dentry>,
    target: Option<&Arc<Dentry>>,
    mode: RenameMode,
) -> Result<(), Errno> {
    may_delete(old_dir, moved, cred)?;
    match target {
        None => {
            may_create(new_dir, cred)?;
        }
        Some(target) => {
            may_delete(new_dir, target, cred)?;
            match (is_directory(moved), is_directory(target)) {
                (true, false) if mode != RenameMode::Exchange => return Err(Errno::ENOTDIR),
                (false, true) if mode != RenameMode::Exchange => return Err(Errno::EISDIR),
                _ => {}
            }
        }
    }
    // A directory that changes its parent has its `..` written.
    if !Arc::ptr_eq(old_dir, new_dir) {
        let exchanged = target.filter(|_| mode == RenameMode::Exchange).map(|target| &**target);
        for dentry in [Some(moved), exchanged].into_iter().flatten().filter(|dentry| is_directory(dentry)) {
            permission(&dentry.inode().stat()?, cred, MAY_WRITE)?;
        }
    }
    Ok(())
}
