//! The tree that becomes the disk, in memory: what lies where, with which mode.
//!
//! Paths are relative to the root and in order, so whatever is made from a tree comes out the same each
//! time. A tree is written to a folder only as the last step, for `mkfs.erofs`.

use crate::Error;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

/// The file system allows 255, but mkfs.erofs 1.5 stops at such a name.
pub const LONGEST_NAME: usize = 254;

/// What a path of the tree names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A directory.
    Directory,
    /// A file with these bytes.
    Bytes(Vec<u8>),
    /// A copy of a file of the host.
    Host(PathBuf),
    /// A symbolic link to this target.
    Symlink(PathBuf),
}

/// A tree of files.
#[derive(Default)]
pub struct Tree {
    entries: BTreeMap<PathBuf, (Node, u32)>,
}

impl Tree {
    /// An empty tree: the root directory only.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// The number of files, directories and links.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What lies at `path`.
    #[cfg(test)]
    pub fn get(&self, path: &str) -> Option<&(Node, u32)> {
        self.entries.get(Path::new(path))
    }

    /// Puts `node` at `path`; directories above it come into being. It may replace a node of its own
    /// kind, but a directory and something else never replace each other: half a tree would vanish.
    pub fn add(&mut self, path: impl AsRef<Path>, node: Node, mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || path.as_os_str().is_empty() {
            return Err(format!("{}: not a plain path below the root", path.display()));
        }
        if path.file_name().is_some_and(|name| name.len() > LONGEST_NAME) {
            return Err(format!("{}: name longer than {LONGEST_NAME} bytes", path.display()));
        }
        for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            let parent = self.entries.entry(parent.into()).or_insert((Node::Directory, 0o755));
            if parent.0 != Node::Directory {
                return Err(format!("{}: lies below something that is not a directory", path.display()));
            }
        }
        if let Some((old, _)) = self.entries.get(path)
            && (*old == Node::Directory) != (node == Node::Directory)
        {
            let kind = if *old == Node::Directory { "a directory" } else { "not a directory" };
            return Err(format!("{}: would replace what is {kind} on the disk", path.display()));
        }
        self.entries.insert(path.into(), (node, mode));
        Ok(())
    }

    /// A file with these bytes, readable by all.
    pub fn file(&mut self, path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.add(path, Node::Bytes(bytes.into()), 0o644)
    }

    /// A program with these bytes.
    pub fn program(&mut self, path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.add(path, Node::Bytes(bytes.into()), 0o755)
    }

    /// A symbolic link.
    pub fn symlink(&mut self, path: impl AsRef<Path>, target: impl Into<PathBuf>) -> Result<(), Error> {
        self.add(path, Node::Symlink(target.into()), 0o777)
    }

    /// Lays a folder of the host over the tree: files, directories and links with their modes.
    pub fn overlay(&mut self, folder: &Path) -> Result<(), Error> {
        let metadata = fs::metadata(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        if !metadata.is_dir() {
            return Err(format!("{}: not a directory", folder.display()));
        }
        self.overlay_below(folder, Path::new(""))
    }

    fn overlay_below(&mut self, folder: &Path, below: &Path) -> Result<(), Error> {
        let context = |e: std::io::Error| format!("{}: {e}", folder.display());
        let mut found =
            fs::read_dir(folder).map_err(context)?.collect::<Result<Vec<_>, _>>().map_err(context)?;
        found.sort_by_key(|entry| entry.file_name());
        for entry in found {
            let host = entry.path();
            let context = |e: std::io::Error| format!("{}: {e}", host.display());
            let path = below.join(entry.file_name());
            let metadata = fs::symlink_metadata(&host).map_err(context)?;
            let mode = metadata.mode() & 0o7777;
            let kind = metadata.file_type();
            if kind.is_dir() {
                self.add(&path, Node::Directory, mode)?;
                self.overlay_below(&host, &path)?;
            } else if kind.is_symlink() {
                self.symlink(&path, fs::read_link(&host).map_err(context)?)?;
            } else if kind.is_file() {
                fs::File::open(&host).map_err(context)?;
                self.add(&path, Node::Host(host), mode)?;
            } else {
                return Err(format!("{}: neither file, directory nor symbolic link", host.display()));
            }
        }
        Ok(())
    }

    /// A number that changes when anything in the tree does. Files of the host count by size and time
    /// of change, not by content.
    pub fn fingerprint(&self) -> Result<u64, Error> {
        // DefaultHasher::new() has fixed keys: the same tree gives the same number in every run.
        let mut hasher = DefaultHasher::new();
        for (path, (node, mode)) in &self.entries {
            path.as_os_str().as_bytes().hash(&mut hasher);
            mode.hash(&mut hasher);
            match node {
                Node::Directory => 0.hash(&mut hasher),
                Node::Bytes(bytes) => (1, bytes).hash(&mut hasher),
                Node::Symlink(target) => (2, target.as_os_str().as_bytes()).hash(&mut hasher),
                Node::Host(host) => {
                    let m = fs::metadata(host).map_err(|e| format!("{}: {e}", host.display()))?;
                    (3, m.len(), m.mtime(), m.mtime_nsec(), m.ino()).hash(&mut hasher);
                }
            }
        }
        Ok(hasher.finish())
    }

    /// Writes the tree below `folder`, which is there and empty.
    pub fn write_to(&self, folder: &Path) -> Result<(), Error> {
        let context = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
        for (path, (node, mode)) in &self.entries {
            let target = folder.join(path);
            match node {
                // Open while it is filled; its own mode comes below.
                Node::Directory => fs::create_dir(&target),
                Node::Bytes(bytes) => fs::write(&target, bytes),
                Node::Host(host) => fs::copy(host, &target).map(drop),
                Node::Symlink(to) => symlink(to, &target),
            }
            .map_err(|e| context(&target, e))?;
            if !matches!(node, Node::Directory | Node::Symlink(_)) {
                set_mode(&target, *mode)?;
            }
        }
        for (path, (node, mode)) in self.entries.iter().rev() {
            if *node == Node::Directory {
                set_mode(&folder.join(path), *mode)?;
            }
        }
        set_mode(folder, 0o755)
    }
}

/// Sets a mode whatever the umask says.
fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_into_being() {
        let mut tree = Tree::new();
        tree.file("a/b/c", "text").expect("added");
        assert_eq!(tree.get("a/b"), Some(&(Node::Directory, 0o755)));
        assert_eq!(tree.len(), 3);
    }

    #[test]
    fn a_directory_and_a_file_do_not_replace_each_other() {
        let mut tree = Tree::new();
        tree.file("bin/ls", "one").expect("added");
        tree.file("bin/ls", "two").expect("a file replaces a file");
        assert_eq!(tree.get("bin/ls"), Some(&(Node::Bytes("two".into()), 0o644)));
        tree.symlink("bin", "usr/bin").expect_err("the directory would vanish");
        tree.add("bin/ls", Node::Directory, 0o755).expect_err("the file would vanish");
        tree.file("bin/ls/x", "three").expect_err("below a file");
    }

    #[test]
    fn paths_stay_below_the_root() {
        for path in ["", "/etc", "../etc", "etc/../../x", "."] {
            assert!(Tree::new().file(path, "").is_err(), "{path:?}");
        }
    }

    #[test]
    fn the_fingerprint_sees_content_mode_and_name() {
        let tree = |path: &str, text: &str, mode| {
            let mut tree = Tree::new();
            tree.add(path, Node::Bytes(text.into()), mode).expect("added");
            tree.fingerprint().expect("no host files")
        };
        let base = tree("a", "text", 0o644);
        assert_eq!(base, tree("a", "text", 0o644));
        for other in [tree("b", "text", 0o644), tree("a", "texts", 0o644), tree("a", "text", 0o755)] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn an_overlay_brings_its_modes_and_links_and_wins() {
        let folder = std::env::temp_dir().join(format!("mkdisk-{}-overlay", std::process::id()));
        fs::create_dir_all(folder.join("bin")).expect("made");
        fs::write(folder.join("bin/ls"), "mine").expect("written");
        set_mode(&folder.join("bin/ls"), 0o700).expect("changed");
        symlink("/nowhere", folder.join("dangling")).expect("linked");

        let mut tree = Tree::new();
        tree.program("bin/ls", "theirs").expect("added");
        tree.program("bin/cat", "theirs").expect("added");
        tree.overlay(&folder).expect("laid over");
        assert_eq!(tree.get("bin/ls"), Some(&(Node::Host(folder.join("bin/ls")), 0o700)));
        assert_eq!(tree.get("bin/cat"), Some(&(Node::Bytes("theirs".into()), 0o755)));
        assert_eq!(tree.get("dangling"), Some(&(Node::Symlink("/nowhere".into()), 0o777)));

        let mut tree = Tree::new();
        tree.file("dangling/file", "").expect("added");
        tree.overlay(&folder).expect_err("a link would replace a directory");
        assert!(
            tree.overlay(&folder.join("bin/ls")).is_err_and(|message| message.contains("not a directory"))
        );
        assert!(tree.overlay(&folder.join("none")).is_err_and(|message| !message.contains('\n')));
        let _socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).expect("bound");
        assert!(Tree::new().overlay(&folder).is_err_and(|message| message.contains("socket")));
        fs::remove_dir_all(folder).expect("removed");
    }
}
