//! `/proc/PID/mounts` and `mountinfo` (Linux: `fs/proc_namespace.c`).

use crate::pseudo::Text;
use crate::vfs::{Mount, MountFlags, Path};
use abi::Errno;
use alloc::vec::Vec;

/// What would end a field of these files early.
const SPECIAL: &[u8] = b" \t\n#";

/// Writes the options of a mount that the VFS keeps.
fn mount_options(flags: &MountFlags, out: &mut Text) -> Result<(), Errno> {
    out.push(if flags.read_only { b"ro" } else { b"rw" })?;
    for (on, name) in [(flags.nosuid, &b",nosuid"[..]), (flags.nodev, b",nodev"), (flags.noexec, b",noexec")]
    {
        if on {
            out.push(name)?;
        }
    }
    out.push(b",relatime")
}

/// Where a mount is, from `root`; `None` if it cannot be seen from there.
fn mount_point(mount: &Mount, root: &Path) -> Result<Option<Vec<u8>>, Errno> {
    match &mount.at {
        Some(at) => at.to_text(root),
        None => Ok(Some(crate::alloc_util::try_copy(b"/")?)),
    }
}

fn source(mount: &Mount) -> &[u8] {
    if mount.source.is_empty() { b"none" } else { mount.source.as_bytes() }
}

/// The line of `mount` in `/proc/PID/mountinfo`, for a process whose root is `root`.
pub fn show_mountinfo(mount: &Mount, root: &Path, out: &mut Text) -> Result<(), Errno> {
    let Some(at) = mount_point(mount, root)? else { return Ok(()) };
    // The root file system hangs on one that nobody sees.
    let above = mount.at.as_ref().map_or(0, |at| at.mount.id);
    let dev = mount.root.inode().stat()?.dev;
    out.print(format_args!("{} {above} {}:{} / ", mount.id, dev.major, dev.minor))?;
    out.push_escaped(&at, SPECIAL)?;
    out.push(b" ")?;
    mount_options(&mount.flags, out)?;
    out.print(format_args!(" - {} ", mount.fs.name()))?;
    out.push_escaped(source(mount), SPECIAL)?;
    out.push(if mount.flags.read_only { b" ro\n" } else { b" rw\n" })
}

/// The line of `mount` in `/proc/PID/mounts`, for a process whose root is `root`.
pub fn show_mounts(mount: &Mount, root: &Path, out: &mut Text) -> Result<(), Errno> {
    let Some(at) = mount_point(mount, root)? else { return Ok(()) };
    out.push_escaped(source(mount), SPECIAL)?;
    out.push(b" ")?;
    out.push_escaped(&at, SPECIAL)?;
    out.print(format_args!(" {} ", mount.fs.name()))?;
    mount_options(&mount.flags, out)?;
    out.push(b" 0 0\n")
}
