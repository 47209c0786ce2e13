//! Path walk: from a text to a place in the tree. Mirrors `link_path_walk` and its like in Linux's
//! `fs/namei.c`.
//!
//! The text that is still to be walked lies on a stack: a symlink pushes its target. The rules about
//! the last component and the slashes behind it look at the whole stack.

use super::dentry::{Dentry, lookup_child};
use super::mount::Path;
use super::{NAME_MAX, PATH_MAX, Vfs};
use crate::alloc_util::try_copy;
use crate::kstat::FileType;
use crate::perm::{Cred, may_traverse};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Symlinks that one walk follows, Linux's `MAXSYMLINKS`; the next is ELOOP.
const MAX_SYMLINKS: u32 = 40;

/// What a process brings to each walk: `struct fs_struct` and its credentials.
#[derive(Clone, Copy)]
pub struct FsContext<'a> {
    /// The process's root directory: where absolute paths begin, and the top that `..` does not leave.
    pub root: &'a Path,
    /// In whose name.
    pub cred: &'a Cred,
    /// Permissions that new files do not get (`umask(2)`).
    pub umask: u32,
}

/// What to do about a symlink as the last component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSymlink {
    /// Follow it.
    Follow,
    /// It is what is asked for (`AT_SYMLINK_NOFOLLOW`). With a slash behind it, it is followed all the same.
    Keep,
}

/// What to do about an empty path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyPath {
    /// ENOENT.
    Refuse,
    /// It stands for the directory or file where the walk begins (`AT_EMPTY_PATH`).
    Base,
}

/// What the last component is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// It must exist.
    Find,
    /// It may be created as a file (`O_CREAT`): a slash behind it is EISDIR.
    CreateFile,
    /// The directory is wanted, and the name as it is written: to make, remove or rename it.
    Parent,
}

/// The last component as it is written.
#[allow(
    clippy::large_enum_variant,
    reason = "it lives on the stack of one call, which has no memory to ask for"
)]
pub(super) enum Last {
    /// A name.
    Name(Component),
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// There is none: the path consists of slashes.
    Root,
}

/// Where a walk ended.
pub(super) enum Walked {
    /// At something.
    Found {
        /// The place.
        path: Path,
        /// A slash stood behind the last component: only a directory will do.
        trailing_slash: bool,
    },
    /// All but the last component exist.
    Missing {
        /// Where the last component would be created.
        parent: Path,
        /// The last component.
        name: Component,
    },
    /// Before the last component, which was not looked for ([`Intent::Parent`]).
    Parent {
        /// The directory.
        parent: Path,
        /// The last component.
        last: Last,
        /// A slash stood behind it.
        trailing_slash: bool,
    },
}

/// One text on the stack and how far it has been walked.
struct Segment {
    text: Vec<u8>,
    pos: usize,
}

impl Segment {
    fn skip_slashes(&mut self) {
        while self.text.get(self.pos) == Some(&b'/') {
            self.pos += 1;
        }
    }

    fn is_done(&self) -> bool {
        self.text[self.pos..].iter().all(|byte| *byte == b'/')
    }
}

/// A component, copied out of its text so that the text's stack can change under it.
pub(super) struct Component {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl Component {
    fn new(name: &[u8]) -> Component {
        let mut bytes = [0; NAME_MAX];
        if let Some(room) = bytes.get_mut(..name.len()) {
            room.copy_from_slice(name);
        }
        Component { bytes, len: name.len() }
    }

    /// The name, or ENAMETOOLONG.
    pub(super) fn name(&self) -> Result<&[u8], Errno> {
        self.bytes.get(..self.len).ok_or(Errno::ENAMETOOLONG)
    }
}

/// Walks `text` from `base` (or from the root, if it begins with a slash).
pub(super) fn walk(
    vfs: &Vfs,
    context: FsContext<'_>,
    base: &Path,
    text: &[u8],
    last_symlink: LastSymlink,
    intent: Intent,
) -> Result<Walked, Errno> {
    if text.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    if text.is_empty() {
        return Err(Errno::ENOENT);
    }
    let start = if text[0] == b'/' { context.root } else { base };
    let mut walker = Walker { vfs, context, at: start.clone(), stack: Vec::new(), symlinks: 0 };
    walker.push(try_copy(text)?)?;
    walker.run(last_symlink, intent)
}

struct Walker<'a> {
    vfs: &'a Vfs,
    context: FsContext<'a>,
    at: Path,
    stack: Vec<Segment>,
    symlinks: u32,
}

impl Walker<'_> {
    fn push(&mut self, text: Vec<u8>) -> Result<(), Errno> {
        self.stack.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.stack.push(Segment { text, pos: 0 });
        Ok(())
    }

    /// The next component, or `None` at the end of the walk.
    fn next_component(&mut self) -> Option<Component> {
        loop {
            let segment = self.stack.last_mut()?;
            segment.skip_slashes();
            let rest = &segment.text[segment.pos..];
            let len = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            if len == 0 {
                self.stack.pop();
                continue;
            }
            let component = Component::new(&rest[..len]);
            segment.pos += len;
            return Some(component);
        }
    }

    fn is_last(&self) -> bool {
        self.stack.iter().all(Segment::is_done)
    }

    fn has_trailing_slash(&self) -> bool {
        self.stack.iter().any(|segment| segment.pos < segment.text.len())
    }

    fn run(mut self, last_symlink: LastSymlink, intent: Intent) -> Result<Walked, Errno> {
        let mut trailing_slash = false;
        while let Some(component) = self.next_component() {
            let last = self.is_last();
            trailing_slash = last && self.has_trailing_slash();
            let dir = self.at.dentry.clone();
            if dir.inode().file_type() != FileType::Directory {
                return Err(Errno::ENOTDIR);
            }
            may_traverse(&**dir.inode(), self.context.cred)?;
            let name = component.name()?;
            if last && intent == Intent::Parent {
                let last = match name {
                    b"." => Last::Dot,
                    b".." => Last::DotDot,
                    _ => Last::Name(component),
                };
                return Ok(Walked::Parent { parent: self.at, last, trailing_slash });
            }
            match name {
                b"." => continue,
                b".." => {
                    self.go_up();
                    continue;
                }
                _ => {}
            }
            if last && trailing_slash && intent == Intent::CreateFile {
                return Err(Errno::EISDIR);
            }
            let child = match lookup_child(&dir, name, &self.vfs.recent) {
                Err(Errno::ENOENT) if last => {
                    return Ok(Walked::Missing { parent: self.at, name: component });
                }
                other => other?,
            };
            let keep = last && !trailing_slash && last_symlink == LastSymlink::Keep;
            if child.inode().file_type() == FileType::Symlink && !keep {
                self.follow(&child)?;
            } else {
                self.at.dentry = child;
                self.vfs.mounts.cross(&mut self.at);
            }
        }
        if intent == Intent::Parent {
            return Ok(Walked::Parent { parent: self.at, last: Last::Root, trailing_slash });
        }
        Ok(Walked::Found { path: self.at, trailing_slash })
    }

    /// One step towards the root, over the edge of a mount if need be, but not out of the process's root.
    fn go_up(&mut self) {
        loop {
            if self.at == *self.context.root {
                break;
            }
            if let Some(parent) = self.at.dentry.parent() {
                self.at.dentry = parent;
                break;
            }
            match &self.at.mount.at {
                Some(at) => self.at = at.clone(),
                None => break,
            }
        }
        self.vfs.mounts.cross(&mut self.at);
    }

    fn follow(&mut self, symlink: &Arc<Dentry>) -> Result<(), Errno> {
        self.symlinks += 1;
        if self.symlinks > MAX_SYMLINKS {
            return Err(Errno::ELOOP);
        }
        if let Some(place) = symlink.inode().jump()? {
            self.at = place;
            return Ok(());
        }
        let target = symlink.inode().readlink()?;
        match target.first() {
            None => return Err(Errno::ENOENT),
            Some(b'/') => self.at = self.context.root.clone(),
            Some(_) => {}
        }
        self.push(target)
    }
}
