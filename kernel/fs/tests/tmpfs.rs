//! Operations on the tree of a tmpfs, at random, against a naive model; and what a model does not show.

#[path = "common/memory_io.rs"]
mod memory_io;

use abi::{CapSet, Errno, OpenFlags};
use fs::inode::{FileSystem, Inode};
use fs::io::{SliceSink, SliceSource};
use fs::kstat::{Dev, FileType, Timespec};
use fs::perm::Cred;
use fs::tmpfs::{TmpFs, TmpfsOptions};
use fs::vfs::{EmptyPath, File, FsContext, LastSymlink, MountFlags, OpenHow, Path, RenameMode, Vfs};
use memory_io::MemoryIo;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

const CREATE: OpenFlags = OpenFlags::CREAT.union(OpenFlags::RDWR);

fn options() -> TmpfsOptions {
    let clock = || Timespec { sec: 1_000_000, nsec: 0 };
    let dev = Dev::new(0, 1);
    TmpfsOptions { name: "tmpfs", dev, root_mode: 0o777, max_pages: 1000, max_inodes: 1000, clock }
}

/// A tree that is one tmpfs, and who uses it.
struct World {
    vfs: Vfs,
    io: MemoryIo,
    tmpfs: Arc<TmpFs>,
}

impl World {
    fn new() -> World {
        let tmpfs = Arc::new(TmpFs::new(options()).expect("tmpfs"));
        let flags = MountFlags::NONE;
        let vfs = Vfs::new(tmpfs.clone(), flags, "tmpfs".into()).expect("vfs");
        World { vfs, io: MemoryIo::default(), tmpfs }
    }

    fn context(&self) -> FsContext<'_> {
        FsContext { root: self.vfs.root(), cred: &Cred::ROOT, umask: 0 }
    }

    fn root(&self) -> &Path {
        self.vfs.root()
    }

    fn open(&self, path: &str, flags: OpenFlags) -> Result<Arc<File>, Errno> {
        let how = OpenHow::new(flags, 0o644);
        self.vfs.open(self.context(), &self.io, self.root(), path.as_bytes(), how)
    }

    fn find(&self, path: &str) -> Result<Path, Errno> {
        let keep = LastSymlink::Keep;
        self.vfs.lookup(self.context(), self.root(), path.as_bytes(), keep, EmptyPath::Refuse)
    }

    fn run(&self, op: &Op) -> Result<(), Errno> {
        let (vfs, context, root) = (&self.vfs, self.context(), self.root());
        match op {
            Op::Mkdir(path) => vfs.mkdir(context, root, path.as_bytes(), 0o755),
            Op::Write(path, text) => {
                let file = self.open(path, CREATE | OpenFlags::TRUNC)?;
                file.write(&self.io, &mut SliceSource::new(text)).map(|_| ())
            }
            Op::Exclusive(path) => self.open(path, CREATE | OpenFlags::EXCL).map(|_| ()),
            Op::Append(path, text) => {
                let file = self.open(path, OpenFlags::WRONLY | OpenFlags::APPEND)?;
                file.write(&self.io, &mut SliceSource::new(text)).map(|_| ())
            }
            Op::Truncate(path, size) => {
                let place = self.find(path)?;
                vfs.truncate(&Cred::ROOT, &self.io, &place, *size as u64)
            }
            Op::Symlink(path) => vfs.symlink(context, b"nowhere/at/all", root, path.as_bytes()),
            Op::Link(old, new) => vfs.link(context, &self.find(old)?, root, new.as_bytes()),
            Op::Unlink(path) => vfs.unlink(context, root, path.as_bytes()),
            Op::Rmdir(path) => vfs.rmdir(context, root, path.as_bytes()),
            Op::Rename(old, new, mode) => {
                vfs.rename(context, (root, old.as_bytes()), (root, new.as_bytes()), *mode)
            }
        }
    }

    /// Everything in the tree by path: links, and bytes of files.
    fn listing(&self) -> BTreeMap<String, (FileType, u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut todo = vec![String::new()];
        while let Some(dir) = todo.pop() {
            let place = self.find(&format!("/{dir}")).expect("a directory that was listed");
            let mut names = Vec::new();
            let visit = &mut |entry: &fs::inode::DirEntry<'_>| {
                names.push((String::from_utf8(entry.name.to_vec()).expect("UTF-8"), entry.ino));
                ControlFlow::Continue(())
            };
            place.dentry.inode().readdir(0, visit).expect("readdir");
            let stat = place.dentry.inode().stat().expect("stat");
            assert_eq!(names[0], (".".into(), stat.ino));
            let above =
                self.find(&format!("/{dir}/..")).expect("parent").dentry.inode().stat().expect("stat");
            assert_eq!(names[1], ("..".into(), above.ino), "/{dir}");
            found.insert(format!("{dir}/"), (FileType::Directory, stat.nlink, Vec::new()));
            for (name, ino) in &names[2..] {
                let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
                let inode = self.find(&path).expect("a name that was listed").dentry.inode().clone();
                let stat = inode.stat().expect("stat");
                assert_eq!(stat.ino, *ino);
                let bytes = match inode.file_type() {
                    FileType::Directory => {
                        todo.push(path);
                        continue;
                    }
                    FileType::Symlink => inode.readlink().expect("readlink"),
                    _ => {
                        let mut bytes = vec![0; stat.size as usize];
                        let file = self.open(&path, OpenFlags::empty()).expect("open");
                        assert_eq!(file.read(&self.io, &mut SliceSink::new(&mut bytes)), Ok(bytes.len()));
                        bytes
                    }
                };
                found.insert(path, (inode.file_type(), stat.nlink, bytes));
            }
        }
        found
    }
}

/// One call. Paths have no symlinks but as the last component, which no call here follows, or all refuse.
#[derive(Clone, Debug)]
enum Op {
    Mkdir(String),
    Write(String, Vec<u8>),
    Exclusive(String),
    Append(String, Vec<u8>),
    Truncate(String, u16),
    Symlink(String),
    Link(String, String),
    Unlink(String),
    Rmdir(String),
    Rename(String, String, RenameMode),
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Directory,
    File(Vec<u8>),
    Symlink,
}

/// The model: every path there is, and which node it names. Directories end with nothing special; the root is "".
#[derive(Default)]
struct Model {
    names: BTreeMap<String, usize>,
    nodes: Vec<Node>,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Model {
    fn node(&self, path: &str) -> Option<&Node> {
        if path.is_empty() { Some(&Node::Directory) } else { self.names.get(path).map(|n| &self.nodes[*n]) }
    }

    /// ENOENT or ENOTDIR unless the directory above exists. A symlink on the way leads nowhere.
    fn check_parent(&self, path: &str) -> Result<(), Errno> {
        let above = parent(path);
        if above.is_empty() {
            return Ok(());
        }
        self.check_parent(above)?;
        match self.node(above) {
            Some(Node::Directory) => Ok(()),
            Some(Node::File(_)) => Err(Errno::ENOTDIR),
            Some(Node::Symlink) | None => Err(Errno::ENOENT),
        }
    }

    fn find(&self, path: &str) -> Result<&Node, Errno> {
        self.check_parent(path)?;
        self.node(path).ok_or(Errno::ENOENT)
    }

    fn has_names(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.names.keys().any(|name| name.starts_with(&below))
    }

    fn add(&mut self, path: &str, node: Node) -> Result<(), Errno> {
        self.check_parent(path)?;
        if self.node(path).is_some() {
            return Err(Errno::EEXIST);
        }
        self.nodes.push(node);
        self.names.insert(path.into(), self.nodes.len() - 1);
        Ok(())
    }

    fn file(&mut self, path: &str) -> Result<&mut Vec<u8>, Errno> {
        match self.find(path)? {
            Node::Directory => return Err(Errno::EISDIR),
            Node::Symlink => return Err(Errno::ENOENT),
            Node::File(_) => {}
        }
        match &mut self.nodes[self.names[path]] {
            Node::File(bytes) => Ok(bytes),
            _ => unreachable!(),
        }
    }

    fn run(&mut self, op: &Op) -> Result<(), Errno> {
        match op {
            Op::Mkdir(path) => self.add(path, Node::Directory),
            Op::Symlink(path) => self.add(path, Node::Symlink),
            Op::Exclusive(path) => self.add(path, Node::File(Vec::new())),
            Op::Write(path, text) => {
                if self.find(path) == Err(Errno::ENOENT) && self.check_parent(path).is_ok() {
                    return self.add(path, Node::File(text.clone()));
                }
                *self.file(path)? = text.clone();
                Ok(())
            }
            Op::Append(path, text) => {
                self.file(path)?.extend(text);
                Ok(())
            }
            Op::Truncate(path, size) => match self.find(path)? {
                Node::Symlink => Err(Errno::EINVAL),
                _ => {
                    self.file(path)?.resize(usize::from(*size), 0);
                    Ok(())
                }
            },
            Op::Link(old, new) => {
                let directory = *self.find(old)? == Node::Directory;
                self.check_parent(new)?;
                match self.node(new) {
                    Some(_) => Err(Errno::EEXIST),
                    None if directory => Err(Errno::EPERM),
                    None => {
                        self.names.insert(new.clone(), self.names[old]);
                        Ok(())
                    }
                }
            }
            Op::Unlink(path) => match self.find(path)? {
                Node::Directory => Err(Errno::EISDIR),
                _ => {
                    self.names.remove(path);
                    Ok(())
                }
            },
            Op::Rmdir(path) => match self.find(path)? {
                Node::Directory if self.has_names(path) => Err(Errno::ENOTEMPTY),
                Node::Directory => {
                    self.names.remove(path);
                    Ok(())
                }
                _ => Err(Errno::ENOTDIR),
            },
            Op::Rename(old, new, mode) => self.rename(old, new, *mode),
        }
    }

    fn rename(&mut self, old: &str, new: &str, mode: RenameMode) -> Result<(), Errno> {
        self.check_parent(old)?;
        self.check_parent(new)?;
        let moved = self.node(old).ok_or(Errno::ENOENT)?.clone();
        let target = self.node(new).cloned();
        match (mode, &target) {
            (RenameMode::NoReplace, Some(_)) => return Err(Errno::EEXIST),
            (RenameMode::Exchange, None) => return Err(Errno::ENOENT),
            _ => {}
        }
        let below = |path: &str, top: &str| path.starts_with(&format!("{top}/"));
        if below(new, old) {
            return Err(Errno::EINVAL);
        }
        if below(old, new) && target == Some(Node::Directory) {
            return Err(if mode == RenameMode::Exchange { Errno::EINVAL } else { Errno::ENOTEMPTY });
        }
        if target.is_some() && self.names[old] == self.names[new] {
            return Ok(());
        }
        if mode == RenameMode::Exchange {
            let move_out = |path: &str| {
                if path == old {
                    Some(new)
                } else if path == new {
                    Some(old)
                } else {
                    None
                }
            };
            self.names = std::mem::take(&mut self.names)
                .into_iter()
                .map(|(path, node)| {
                    let top = [old, new].into_iter().find(|top| path == *top || below(&path, top));
                    let to = top.and_then(|top| Some((top, move_out(top)?)));
                    (to.map_or(path.clone(), |(top, to)| format!("{to}{}", &path[top.len()..])), node)
                })
                .collect();
            return Ok(());
        }
        match (&moved, &target) {
            (Node::Directory, Some(Node::Directory)) if self.has_names(new) => return Err(Errno::ENOTEMPTY),
            (Node::Directory, Some(Node::Directory)) | (_, None) => {}
            (Node::Directory, Some(_)) => return Err(Errno::ENOTDIR),
            (_, Some(Node::Directory)) => return Err(Errno::EISDIR),
            _ => {}
        }
        self.names.remove(new);
        self.names = std::mem::take(&mut self.names)
            .into_iter()
            .map(|(path, node)| {
                let moves = path == old || below(&path, old);
                (if moves { format!("{new}{}", &path[old.len()..]) } else { path }, node)
            })
            .collect();
        Ok(())
    }

    fn listing(&self) -> BTreeMap<String, (FileType, u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let subdirectories = |dir: &str| {
            let is_below = |path: &&String| parent(path) == dir && self.node(path) == Some(&Node::Directory);
            self.names.keys().filter(is_below).count() as u32
        };
        found.insert("/".into(), (FileType::Directory, 2 + subdirectories(""), Vec::new()));
        for (path, n) in &self.names {
            let links = self.names.values().filter(|other| *other == n).count() as u32;
            match &self.nodes[*n] {
                Node::Directory => {
                    let links = 2 + subdirectories(path);
                    found.insert(format!("{path}/"), (FileType::Directory, links, Vec::new()))
                }
                Node::File(bytes) => found.insert(path.clone(), (FileType::Regular, links, bytes.clone())),
                Node::Symlink => {
                    found.insert(path.clone(), (FileType::Symlink, links, b"nowhere/at/all".to_vec()))
                }
            };
        }
        found
    }
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["a", "b", "c"], 1..4).prop_map(|parts| parts.join("/"))
}

fn operation() -> impl Strategy<Value = Op> {
    let text = || proptest::collection::vec(any::<u8>(), 0..20);
    let mode =
        prop_oneof![Just(RenameMode::Replace), Just(RenameMode::NoReplace), Just(RenameMode::Exchange)];
    prop_oneof![
        4 => path().prop_map(Op::Mkdir),
        2 => (path(), text()).prop_map(|(path, text)| Op::Write(path, text)),
        1 => path().prop_map(Op::Exclusive),
        1 => (path(), text()).prop_map(|(path, text)| Op::Append(path, text)),
        1 => (path(), 0u16..50).prop_map(|(path, size)| Op::Truncate(path, size)),
        1 => path().prop_map(Op::Symlink),
        2 => (path(), path()).prop_map(|(old, new)| Op::Link(old, new)),
        1 => path().prop_map(Op::Unlink),
        1 => path().prop_map(Op::Rmdir),
        4 => (path(), path(), mode).prop_map(|(old, new, mode)| Op::Rename(old, new, mode)),
    ]
}

/// What the model leaves out: a file made through a symlink lies elsewhere, and appending through one goes nowhere.
fn meets_a_symlink(model: &Model, op: &Op) -> bool {
    match op {
        Op::Write(path, _) | Op::Append(path, _) => model.node(path) == Some(&Node::Symlink),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_list_of_paths(ops in proptest::collection::vec(operation(), 1..60)) {
        let world = World::new();
        let mut model = Model::default();
        for op in &ops {
            if meets_a_symlink(&model, op) {
                continue;
            }
            prop_assert_eq!(world.run(op), model.run(op), "{:?}", op);
        }
        prop_assert_eq!(world.listing(), model.listing());
    }
}

#[test]
fn a_listing_in_pieces_shows_each_name_once_whatever_else_happens() {
    let world = World::new();
    for n in 0..200 {
        world.open(&format!("file-{n}"), CREATE).expect("create");
    }
    let root = world.root().dentry.inode().clone();
    let (mut cookie, mut seen) = (0, Vec::new());
    for round in 0.. {
        let (before, from) = (seen.len(), cookie);
        let visit = &mut |entry: &fs::inode::DirEntry<'_>| {
            if seen.len() == before + 7 {
                return ControlFlow::Break(());
            }
            cookie = entry.next;
            seen.push(String::from_utf8(entry.name.to_vec()).expect("UTF-8"));
            ControlFlow::Continue(())
        };
        root.readdir(from, visit).expect("readdir");
        if seen.len() == before {
            break;
        }
        // Every other one goes, listed or not.
        for n in (round * 10..round * 10 + 10).step_by(2).filter(|n| *n < 200) {
            world.vfs.unlink(world.context(), world.root(), format!("file-{n}").as_bytes()).expect("unlink");
        }
    }
    for n in (1..200).step_by(2) {
        let name = format!("file-{n}");
        assert_eq!(seen.iter().filter(|other| **other == name).count(), 1, "{name}");
    }
}

#[test]
fn removed_files_go_with_their_last_user() {
    let world = World::new();
    let free = || world.tmpfs.statfs().files_free;
    let before = free();
    let file = world.open("file", CREATE).expect("create");
    world.vfs.unlink(world.context(), world.root(), b"file").expect("unlink");
    assert_eq!(free(), before - 1);
    assert_eq!(file.path().to_full_text().as_deref(), Ok(&b"/file (deleted)"[..]));
    drop(file);
    assert_eq!(free(), before);
    for n in 0..2000 {
        world.open("file", CREATE | OpenFlags::EXCL).unwrap_or_else(|e| panic!("{n}: {e}"));
        world.vfs.unlink(world.context(), world.root(), b"file").expect("unlink");
    }
    assert_eq!(free(), before);
}

#[test]
fn an_unmounted_file_system_goes() {
    let world = World::new();
    let (vfs, context, root) = (&world.vfs, world.context(), world.root());
    vfs.mkdir(context, root, b"d", 0o755).expect("mkdir");
    let tmpfs = Arc::new(TmpFs::new(options()).expect("tmpfs"));
    let flags = MountFlags::NONE;
    vfs.mount(tmpfs.clone(), world.find("d").expect("d"), flags, "x".into()).expect("mount");
    let file = world.open("d/file", CREATE).expect("create");
    let inode = Arc::downgrade(file.path().dentry.inode());
    let cross = || vfs.lookup(context, root, b"d", LastSymlink::Follow, EmptyPath::Refuse).expect("d");
    assert_eq!(vfs.umount(cross()), Err(Errno::EBUSY));
    drop(file);
    assert_eq!(vfs.umount(cross()), Ok(()));
    drop(tmpfs);
    assert!(inode.upgrade().is_none());
    assert_eq!(world.find("d/file").err(), Some(Errno::ENOENT));
    assert_eq!(vfs.umount(cross()), Err(Errno::EINVAL));
}

#[test]
fn a_deep_tree_is_dropped_without_deep_recursion() {
    let work = || {
        let tmpfs = TmpFs::new(TmpfsOptions { max_inodes: u64::MAX, ..options() }).expect("tmpfs");
        let mut dir: Arc<dyn Inode> = tmpfs.root().expect("root");
        for _ in 0..50_000 {
            let new = fs::inode::NewInode { kind: fs::inode::NewKind::Directory, mode: 0, uid: 0, gid: 0 };
            dir = dir.create(b"d", &new).expect("create");
        }
        drop((dir, tmpfs));
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(work).expect("spawn").join().expect("no overflow");
}

#[test]
fn others_than_the_superuser_are_bound() {
    let world = World::new();
    let user = Cred { uid: 10, gid: 10, groups: None, caps: CapSet::empty() };
    let context = FsContext { root: world.root(), cred: &user, umask: 0o022 };
    let (vfs, root) = (&world.vfs, world.root());
    vfs.mkdir(world.context(), root, b"mine", 0o755).expect("mkdir");
    vfs.mkdir(world.context(), root, b"sticky", 0o1777).expect("mkdir");
    assert_eq!(vfs.mkdir(context, root, b"mine/x", 0o777), Err(Errno::EACCES));
    assert_eq!(vfs.mkdir(context, root, b"sticky/x", 0o777), Ok(()));
    let made = world.find("sticky/x").expect("made").dentry.inode().stat().expect("stat");
    assert_eq!((made.uid, made.gid, made.mode & 0o7777), (10, 10, 0o755));
    world.open("sticky/root", CREATE).expect("create");
    assert_eq!(vfs.unlink(context, root, b"sticky/root"), Err(Errno::EPERM));
    assert_eq!(
        vfs.rename(context, (root, b"sticky/root"), (root, b"sticky/y"), RenameMode::Replace),
        Err(Errno::EPERM)
    );
    assert_eq!(vfs.rmdir(context, root, b"sticky/x"), Ok(()));
    let theirs = world.find("sticky/root").expect("file");
    assert_eq!(vfs.chmod(&user, &theirs, 0o777), Err(Errno::EPERM));
    assert_eq!(vfs.chown(&user, &theirs, Some(10), None), Err(Errno::EPERM));
    assert_eq!(vfs.truncate(&user, &world.io, &theirs, 0), Err(Errno::EACCES));
    assert_eq!(
        vfs.mknod(context, root, b"sticky/dev", fs::inode::NewKind::CharDevice(Dev::new(1, 3)), 0o666),
        Err(Errno::EPERM)
    );
}
