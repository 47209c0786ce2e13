//! Who may do what to a file: Linux's `generic_permission`.

use crate::inode::Inode;
use crate::kstat::{FileType, Kstat};
use abi::{CapSet, Errno};
use alloc::sync::Arc;

/// Wanted access, combined by `|`: the values of Linux's `MAY_EXEC`, `MAY_WRITE` and `MAY_READ`, which
/// are also those of `access(2)` and of one digit of a mode.
pub type Access = u32;
/// Execute a file, or pass through a directory.
pub const MAY_EXEC: Access = 1;
/// Write.
pub const MAY_WRITE: Access = 2;
/// Read.
pub const MAY_READ: Access = 4;

/// In whose name files are used.
#[derive(Clone, Debug)]
pub struct Cred {
    /// File system user id.
    pub uid: u32,
    /// File system group id.
    pub gid: u32,
    /// Further groups; `None` for none, which needs no allocation.
    pub groups: Option<Arc<[u32]>>,
    /// Effective capabilities.
    pub caps: CapSet,
}

impl Cred {
    /// The superuser.
    pub const ROOT: Cred = Cred { uid: 0, gid: 0, groups: None, caps: CapSet::all() };

    /// Whether all of these capabilities are there.
    pub fn has(&self, caps: CapSet) -> bool {
        self.caps.contains(caps)
    }

    /// Whether this is the owner of a file of `uid`, or may act so (Linux's `inode_owner_or_capable`).
    pub fn owns(&self, uid: u32) -> bool {
        self.uid == uid || self.has(CapSet::FOWNER)
    }

    /// Whether files of this group keep set-group-id (Linux's `in_group_or_capable`).
    pub(crate) fn keeps_setgid(&self, gid: u32) -> bool {
        self.in_group(gid) || self.has(CapSet::FSETID)
    }

    /// Whether this is the file system group or a further one.
    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.as_ref().is_some_and(|groups| groups.contains(&gid))
    }
}

/// EACCES unless `cred` may use a file with these attributes so.
pub fn permission(stat: &Kstat, cred: &Cred, want: Access) -> Result<(), Errno> {
    let granted = if stat.uid == cred.uid {
        stat.mode >> 6
    } else if cred.in_group(stat.gid) {
        stat.mode >> 3
    } else {
        stat.mode
    };
    let passes = want & !granted & 7 == 0 || passes_by_capability(stat, cred, want);
    if passes { Ok(()) } else { Err(Errno::EACCES) }
}

/// Whether capabilities allow what the permission bits do not. A file that nobody may execute is not executed.
fn passes_by_capability(stat: &Kstat, cred: &Cred, want: Access) -> bool {
    let (reads, overrides) = (CapSet::DAC_READ_SEARCH, CapSet::DAC_OVERRIDE);
    if stat.file_type() == FileType::Directory {
        return cred.has(overrides) || want & MAY_WRITE == 0 && cred.has(reads);
    }
    let runs = want & MAY_EXEC == 0 || stat.mode & 0o111 != 0;
    cred.has(overrides) && runs || want == MAY_READ && cred.has(reads)
}

/// EACCES unless `cred` may pass through this directory. Asks no file system about the superuser, for
/// whom a path walk would do it once per component.
pub fn may_traverse(dir: &dyn Inode, cred: &Cred) -> Result<(), Errno> {
    if cred.caps.intersects(CapSet::DAC_READ_SEARCH.union(CapSet::DAC_OVERRIDE)) {
        return Ok(());
    }
    permission(&dir.stat()?, cred, MAY_EXEC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kstat::{Dev, Timespec};

    fn file(mode: u32) -> Kstat {
        let zero = Timespec::default();
        Kstat {
            dev: Dev::default(),
            ino: 1,
            mode,
            nlink: 1,
            uid: 10,
            gid: 20,
            rdev: Dev::default(),
            size: 0,
            blksize: 4096,
            blocks: 0,
            atime: zero,
            mtime: zero,
            ctime: zero,
        }
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        let cred = |uid, gid| Cred { uid, gid, groups: Some(Arc::new([7, 8])), caps: CapSet::empty() };
        let stat = file(0o100_640);
        assert!(permission(&stat, &cred(10, 0), MAY_READ | MAY_WRITE).is_ok());
        assert_eq!(permission(&stat, &cred(10, 0), MAY_EXEC), Err(Errno::EACCES));
        assert!(permission(&stat, &cred(11, 20), MAY_READ).is_ok());
        assert_eq!(permission(&stat, &cred(11, 20), MAY_WRITE), Err(Errno::EACCES));
        assert_eq!(permission(&stat, &cred(11, 21), MAY_READ), Err(Errno::EACCES));
        // The owner of a file that others may read, and the owner may not.
        assert_eq!(permission(&file(0o100_044), &cred(10, 20), MAY_READ), Err(Errno::EACCES));
        assert!(permission(&Kstat { gid: 8, ..file(0o100_040) }, &cred(1, 1), MAY_READ).is_ok());
    }

    #[test]
    fn the_superuser_runs_only_what_somebody_may_run() {
        assert!(permission(&file(0o100_000), &Cred::ROOT, MAY_READ | MAY_WRITE).is_ok());
        assert_eq!(permission(&file(0o100_644), &Cred::ROOT, MAY_EXEC), Err(Errno::EACCES));
        assert!(permission(&file(0o100_100), &Cred::ROOT, MAY_EXEC).is_ok());
        assert!(permission(&file(0o040_000), &Cred::ROOT, MAY_EXEC).is_ok());
    }

    #[test]
    fn capabilities_count_and_not_the_number_zero() {
        let cred = |caps| Cred { uid: 0, gid: 0, groups: None, caps };
        let nobody = file(0o100_000);
        assert_eq!(permission(&nobody, &cred(CapSet::empty()), MAY_READ), Err(Errno::EACCES));
        let search = cred(CapSet::DAC_READ_SEARCH);
        assert!(permission(&nobody, &search, MAY_READ).is_ok());
        assert_eq!(permission(&nobody, &search, MAY_READ | MAY_WRITE), Err(Errno::EACCES));
        assert_eq!(permission(&file(0o100_111), &search, MAY_READ | MAY_EXEC), Err(Errno::EACCES));
        assert!(permission(&file(0o040_000), &search, MAY_READ | MAY_EXEC).is_ok());
        assert_eq!(permission(&file(0o040_000), &search, MAY_WRITE), Err(Errno::EACCES));
        assert!(permission(&file(0o040_000), &cred(CapSet::DAC_OVERRIDE), MAY_WRITE | MAY_EXEC).is_ok());
    }
}
