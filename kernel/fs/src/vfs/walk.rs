//! Path walk: from a text to a place in the tree. Mirrors `link_path_walk` and its like in Linux's
//! `fs/namei.c`.
//!
//! The text is walked where it lies. The target of a symlink comes before the rest of it, on a stack; the rules about the
//! last component and the slashes behind it look at the whole stack. Without symlinks a walk allocates nothing.

use super::dentry::{Dentry, lookup_child};
use super::mount::{Mount, Path};
use super::name_map::NameHash;
use super::{NAME_MAX, PATH_MAX, Vfs};
use crate::kstat::FileType;
use crate::perm::{Cred, may_traverse};
use abi::Errno;
use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bitflags::bitflags;

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

bitflags! {
    /// Where a walk may not go: `RESOLVE_*` of `openat2(2)`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Resolve: u64 {
        /// Over the edge of a mount: EXDEV.
        const NO_XDEV = 0x1;
        /// Through a link that leads to a file and not to a name: ELOOP.
        const NO_MAGICLINKS = 0x2;
        /// Through any link: ELOOP.
        const NO_SYMLINKS = 0x4;
        /// Out of the directory where it begins: EXDEV.
        const BENEATH = 0x8;
        /// The directory where it begins is the root.
        const IN_ROOT = 0x10;
        /// To what is not cached; here everything can be had without waiting for long.
        const CACHED = 0x20;
    }
}

impl Resolve {
    /// The walk stays below where it begins.
    pub const SCOPED: Resolve = Resolve::BENEATH.union(Resolve::IN_ROOT);
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last<'a> {
    /// A name; whether it is too long shows when it is used.
    Name(&'a [u8]),
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// There is none: the path consists of slashes.
    Root,
}

/// Where a walk ended.
pub(super) enum Walked<'a> {
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
        /// The last component, of the path or of a symlink on the way.
        name: Cow<'a, [u8]>,
    },
    /// Before the last component, which was not looked for ([`Intent::Parent`]).
    Parent {
        /// The directory.
        parent: Path,
        /// The last component.
        last: Last<'a>,
        /// A slash stood behind it.
        trailing_slash: bool,
    },
}

/// ENAMETOOLONG for a name that no directory can have.
pub(super) fn check_name(name: &[u8]) -> Result<&[u8], Errno> {
    if name.len() <= NAME_MAX { Ok(name) } else { Err(Errno::ENAMETOOLONG) }
}

/// Walks `text` from `base` (or from the root, if it begins with a slash).
pub(super) fn walk<'a>(
    vfs: &'a Vfs,
    context: FsContext<'a>,
    base: &'a Path,
    text: &'a [u8],
    last_symlink: LastSymlink,
    intent: Intent,
) -> Result<Walked<'a>, Errno> {
    walk_within(vfs, context, base, text, last_symlink, intent, Resolve::empty())
}

/// The same within bounds.
pub(super) fn walk_within<'a>(
    vfs: &'a Vfs,
    mut context: FsContext<'a>,
    base: &'a Path,
    text: &'a [u8],
    last_symlink: LastSymlink,
    intent: Intent,
    resolve: Resolve,
) -> Result<Walked<'a>, Errno> {
    if text.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    if text.is_empty() {
        return Err(Errno::ENOENT);
    }
    if resolve.intersects(Resolve::SCOPED) {
        context.root = base;
    }
    let start = if text[0] == b'/' { context.root } else { base };
    if text[0] == b'/' && resolve.contains(Resolve::BENEATH) {
        return Err(Errno::EXDEV);
    }
    let at = start.clone();
    let walker = Walker { vfs, context, resolve, at, text, pos: 0, targets: Vec::new(), symlinks: 0 };
    walker.run(last_symlink, intent)
}

/// Where a component lies in the text that is being walked.
type Range = core::ops::Range<usize>;

/// A component of a text.
struct Component {
    range: Range,
    hash: NameHash,
    position: Position,
}

struct Walker<'a> {
    vfs: &'a Vfs,
    context: FsContext<'a>,
    resolve: Resolve,
    at: Path,
    /// The path, and how far it has been walked.
    text: &'a [u8],
    pos: usize,
    /// Targets of the symlinks that are being followed, and how far: the last one is walked now, before the rest of the path.
    targets: Vec<(Vec<u8>, usize)>,
    symlinks: u32,
}

impl<'a> Walker<'a> {
    /// The next component of the text that is being walked, and whether it is the last of the walk with a slash behind it or
    /// not. `None` at the end of the walk.
    #[inline(always)]
    fn next_component(&mut self) -> Option<Component> {
        if self.targets.is_empty() {
            return component_at(self.text, &mut self.pos);
        }
        self.next_of_target()
    }

    #[cold]
    fn next_of_target(&mut self) -> Option<Component> {
        while let Some((target, pos)) = self.targets.last_mut() {
            if let Some(component) = component_at(target, pos) {
                let position = self.position_in_all(component.position);
                return Some(Component { position, ..component });
            }
            self.targets.pop();
        }
        component_at(self.text, &mut self.pos)
    }

    /// What a component that is at `position` in the innermost text is in the whole walk.
    fn position_in_all(&self, position: Position) -> Position {
        if position == Position::Inner {
            return position;
        }
        let outer = self.targets.iter().rev().skip(1).map(|(target, pos)| &target[*pos..]);
        let mut slash = position == Position::LastWithSlash;
        for rest in outer.chain([&self.text[self.pos..]]) {
            if rest.iter().any(|byte| *byte != b'/') {
                return Position::Inner;
            }
            slash |= !rest.is_empty();
        }
        if slash { Position::LastWithSlash } else { Position::Last }
    }

    /// The bytes of the component that was found last.
    #[inline(always)]
    fn component(&self, range: Range) -> &[u8] {
        let text = self.targets.last().map_or(self.text, |(target, _)| target);
        &text[range]
    }

    /// The same, to be kept when the walk is over.
    fn into_component(mut self, range: Range) -> (Path, Cow<'a, [u8]>) {
        let name = match self.targets.pop() {
            None => Cow::Borrowed(&self.text[range]),
            Some((mut target, _)) => {
                target.truncate(range.end);
                target.drain(..range.start);
                Cow::Owned(target)
            }
        };
        (self.at, name)
    }

    fn run(mut self, last_symlink: LastSymlink, intent: Intent) -> Result<Walked<'a>, Errno> {
        let mut trailing_slash = false;
        while let Some(Component { range, hash, position }) = self.next_component() {
            let last = position != Position::Inner;
            trailing_slash = position == Position::LastWithSlash;
            let dir = &self.at.dentry;
            if dir.file_type() != FileType::Directory {
                return Err(Errno::ENOTDIR);
            }
            may_traverse(&**dir.inode(), self.context.cred)?;
            if last && intent == Intent::Parent {
                // A symlink in this place is not followed, so the component is one of the path itself.
                let last = match &self.text[range] {
                    b"." => Last::Dot,
                    b".." => Last::DotDot,
                    name => Last::Name(name),
                };
                return Ok(Walked::Parent { parent: self.at, last, trailing_slash });
            }
            let name = self.component(range.clone());
            match name {
                b"." => continue,
                b".." => {
                    self.go_up()?;
                    continue;
                }
                _ => {}
            }
            if last && trailing_slash && intent == Intent::CreateFile {
                return Err(Errno::EISDIR);
            }
            let child = match lookup_child(dir, check_name(name)?, hash, &self.vfs.recent) {
                Err(Errno::ENOENT) if last && intent == Intent::CreateFile => {
                    let (parent, name) = self.into_component(range);
                    return Ok(Walked::Missing { parent, name });
                }
                other => other?,
            };
            let keep = last && !trailing_slash && last_symlink == LastSymlink::Keep;
            if child.file_type() == FileType::Symlink && !keep {
                self.follow(&child)?;
            } else {
                self.at.dentry = child;
                self.cross()?;
            }
        }
        if intent == Intent::Parent {
            return Ok(Walked::Parent { parent: self.at, last: Last::Root, trailing_slash });
        }
        Ok(Walked::Found { path: self.at, trailing_slash })
    }

    /// Goes down into what is mounted here.
    #[inline(always)]
    fn cross(&mut self) -> Result<(), Errno> {
        if self.at.dentry.is_mountpoint() {
            let below = self.at.mount.clone();
            self.vfs.mounts.cross(&mut self.at);
            self.check_mount(&below)?;
        }
        Ok(())
    }

    /// EXDEV if the walk has left `mount` and may not.
    fn check_mount(&self, mount: &Arc<Mount>) -> Result<(), Errno> {
        let left = self.resolve.contains(Resolve::NO_XDEV) && !Arc::ptr_eq(mount, &self.at.mount);
        if left { Err(Errno::EXDEV) } else { Ok(()) }
    }

    /// One step towards the root, over the edge of a mount if need be, but not out of the process's root.
    fn go_up(&mut self) -> Result<(), Errno> {
        let start = self.at.mount.clone();
        loop {
            if self.at == *self.context.root {
                if self.resolve.contains(Resolve::BENEATH) {
                    return Err(Errno::EXDEV);
                }
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
        self.check_mount(&start)
    }

    fn follow(&mut self, symlink: &Arc<Dentry>) -> Result<(), Errno> {
        self.symlinks += 1;
        if self.symlinks > MAX_SYMLINKS {
            return Err(Errno::ELOOP);
        }
        if self.resolve.contains(Resolve::NO_SYMLINKS) {
            return Err(Errno::ELOOP);
        }
        let start = self.at.mount.clone();
        if let Some(place) = symlink.inode().jump()? {
            if self.resolve.contains(Resolve::NO_MAGICLINKS) {
                return Err(Errno::ELOOP);
            }
            // It could lead anywhere.
            if self.resolve.intersects(Resolve::SCOPED) {
                return Err(Errno::EXDEV);
            }
            self.at = place;
            return self.check_mount(&start);
        }
        let target = symlink.inode().readlink()?;
        match target.first() {
            None => return Err(Errno::ENOENT),
            Some(b'/') if self.resolve.contains(Resolve::BENEATH) => return Err(Errno::EXDEV),
            Some(b'/') => {
                self.at = self.context.root.clone();
                self.check_mount(&start)?;
            }
            Some(_) => {}
        }
        self.targets.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.targets.push((target, 0));
        Ok(())
    }
}

/// What follows a component.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// More components.
    Inner,
    /// Nothing.
    Last,
    /// Slashes.
    LastWithSlash,
}

/// The component of `text` at or behind `pos`, which moves to the next one.
#[inline(always)]
fn component_at(text: &[u8], pos: &mut usize) -> Option<Component> {
    let start = skip_slashes(text, *pos);
    if start == text.len() {
        return None;
    }
    let (len, hash) = hash_component(&text[start..]);
    let end = start + len;
    *pos = end;
    let next = skip_slashes(text, end);
    let position = if next < text.len() {
        Position::Inner
    } else if end < next {
        Position::LastWithSlash
    } else {
        Position::Last
    };
    Some(Component { range: start..end, hash, position })
}

#[inline(always)]
fn skip_slashes(text: &[u8], mut pos: usize) -> usize {
    while text.get(pos) == Some(&b'/') {
        pos += 1;
    }
    pos
}

/// Bytes before the first slash, and their hash. Looks at eight at a time, as Linux's `hash_name` does.
#[inline(always)]
fn hash_component(text: &[u8]) -> (usize, NameHash) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const SLASHES: u64 = ONES * b'/' as u64;
    let (words, rest) = text.as_chunks::<8>();
    let mut hash = NameHash::EMPTY;
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let zero_at_slash = word ^ SLASHES;
        // The lowest bit that this leaves belongs to the first byte that is zero.
        let found = zero_at_slash.wrapping_sub(ONES) & !zero_at_slash & (ONES << 7);
        if found != 0 {
            let bits = found.trailing_zeros() & !7;
            let hash = if bits == 0 { hash } else { hash.add(word & ((1 << bits) - 1)) };
            return (index * 8 + bits as usize / 8, hash);
        }
        hash = hash.add(word);
    }
    let mut word = 0;
    let mut len = 0;
    while let Some(byte) = rest.get(len).filter(|byte| **byte != b'/') {
        word |= u64::from(*byte) << (len * 8);
        len += 1;
    }
    (text.len() - rest.len() + len, if len == 0 { hash } else { hash.add(word) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The components of a text with their positions.
    fn components(text: &[u8]) -> Vec<(&[u8], Position)> {
        let mut pos = 0;
        let next = || {
            let Component { range, hash, position } = component_at(text, &mut pos)?;
            assert!(hash == NameHash::of(&text[range.clone()]));
            Some((&text[range], position))
        };
        core::iter::from_fn(next).collect()
    }

    proptest! {
        #[test]
        fn components_are_what_slashes_part(text in "[a/é.]{0,40}") {
            let found = components(text.as_bytes());
            let names: Vec<&[u8]> = found.iter().map(|(name, _)| *name).collect();
            let parts: Vec<&[u8]> = text.split('/').filter(|part| !part.is_empty()).map(str::as_bytes).collect();
            prop_assert_eq!(&names, &parts);
            let last = if text.ends_with('/') { Position::LastWithSlash } else { Position::Last };
            for (index, (_, position)) in found.iter().enumerate() {
                let right = if index + 1 < found.len() { Position::Inner } else { last };
                prop_assert!(*position == right);
            }
        }
    }
}
