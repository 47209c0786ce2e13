//! Extended attributes: who may see and change which. Mirrors Linux's `fs/xattr.c`.

use super::mount::Path;
use crate::inode::SetXattr;
use crate::kstat::FileType;
use crate::perm::{Access, Cred, MAY_READ, MAY_WRITE, permission};
use abi::{CapSet, Errno};
use alloc::vec::Vec;

const S_ISVTX: u32 = 0o1000;
const CAPABILITY: &[u8] = b"security.capability";
/// Sizes of the three versions of `struct vfs_cap_data`.
const CAPABILITY_SIZES: [usize; 3] = [12, 20, 24];

/// Whose attributes a name belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Space {
    User,
    Trusted,
    Security,
}

impl Space {
    /// The space of `name`: EOPNOTSUPP if there is none, EINVAL if nothing follows the prefix.
    fn of(name: &[u8]) -> Result<Space, Errno> {
        let spaces: [(&[u8], Space); 3] =
            [(b"user.", Space::User), (b"trusted.", Space::Trusted), (b"security.", Space::Security)];
        let found = spaces.into_iter().find(|(prefix, _)| name.starts_with(prefix));
        match found.ok_or(Errno::EOPNOTSUPP)? {
            (prefix, _) if prefix.len() == name.len() => Err(Errno::EINVAL),
            (_, space) => Ok(space),
        }
    }
}

/// Linux's `xattr_permission`.
fn may_access(path: &Path, cred: &Cred, name: &[u8], want: Access) -> Result<(), Errno> {
    let refusal = if want == MAY_WRITE { Errno::EPERM } else { Errno::ENODATA };
    if name.starts_with(b"security.") || name.starts_with(b"system.") {
        return Ok(());
    }
    if name.starts_with(b"trusted.") {
        return if cred.has(CapSet::SYS_ADMIN) { Ok(()) } else { Err(refusal) };
    }
    let stat = path.dentry.inode().stat()?;
    if name.starts_with(b"user.") {
        match path.file_type() {
            FileType::Regular => {}
            FileType::Directory => {
                if want == MAY_WRITE && stat.mode & S_ISVTX != 0 && !cred.owns(stat.uid) {
                    return Err(Errno::EPERM);
                }
            }
            _ => return Err(refusal),
        }
    }
    permission(&stat, cred, want)
}

impl Path {
    /// `getxattr(2)`.
    pub fn get_xattr(&self, cred: &Cred, name: &[u8]) -> Result<Vec<u8>, Errno> {
        may_access(self, cred, name, MAY_READ)?;
        Space::of(name)?;
        self.dentry.inode().get_xattr(name)
    }

    /// `setxattr(2)`, and with no value `removexattr(2)`.
    pub fn set_xattr(
        &self,
        cred: &Cred,
        name: &[u8],
        value: Option<&[u8]>,
        how: SetXattr,
    ) -> Result<(), Errno> {
        self.want_write()?;
        may_access(self, cred, name, MAY_WRITE)?;
        if name == CAPABILITY {
            if value.is_some_and(|value| !CAPABILITY_SIZES.contains(&value.len())) {
                return Err(Errno::EINVAL);
            }
            if !cred.has(CapSet::SETFCAP) {
                return Err(Errno::EPERM);
            }
        } else if name.starts_with(b"security.") && !cred.has(CapSet::SYS_ADMIN) {
            return Err(Errno::EPERM);
        }
        Space::of(name)?;
        self.dentry.inode().set_xattr(name, value, how)
    }

    /// `listxattr(2)`: each name with a NUL behind it.
    pub fn list_xattrs(&self, cred: &Cred) -> Result<Vec<u8>, Errno> {
        let hidden: Option<&[u8]> = if cred.has(CapSet::SYS_ADMIN) { None } else { Some(b"trusted.") };
        self.dentry.inode().list_xattrs(hidden)
    }
}
