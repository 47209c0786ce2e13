//! A mounted tree as the kernel has it: EROFS as the root, devices on `/dev`; and the other side of a
//! read and a write.

use crate::common::{DISK, MemoryDisk, make_long_directory, make_tree, mkfs, pattern, scratch};
use abi::{Errno, OpenFlags};
use fs::block::BlockSource;
use fs::devfs::DevFs;
use fs::erofs::Erofs;
use fs::inode::PageIo;
use fs::io::{ReadSink, WriteSource};
use fs::kstat::{Dev, Timespec};
use fs::perm::Cred;
use fs::tmpfs::TmpfsOptions;
use fs::vfs::{EmptyPath, File, FsContext, LastSymlink, MountFlags, OpenHow, Path, Vfs};
use mm::filemap::{AddressSpace, IomapKind};
use std::os::unix::fs::symlink;
use std::sync::{Arc, OnceLock};

/// A tree, and a process that uses it.
pub struct World {
    pub vfs: Vfs,
    pub disk: Arc<MemoryDisk>,
    pub cred: Cred,
    pub root: Path,
    pub cwd: Path,
}

impl World {
    /// A tree of one's own; all that one test process mounts are of the same image.
    pub fn new() -> World {
        static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
        let image = IMAGE.get_or_init(|| {
            let tree = scratch("world").join("tree");
            std::fs::create_dir(&tree).expect("mkdir");
            make_tree(&tree);
            make_links(&tree);
            make_long_directory(&tree.join("long"), 1200);
            std::fs::create_dir_all(tree.join("dev/covered")).expect("mkdir");
            mkfs(&tree, &["--chunksize=4096"])
        });
        World::of_image(image.clone())
    }

    /// The tree on this image, which has a directory `/dev`.
    pub fn of_image(image: Vec<u8>) -> World {
        let disk = MemoryDisk::new(image);
        let erofs = Erofs::mount(disk.clone(), DISK).unwrap_or_else(|e| panic!("{e}"));
        let vfs = Vfs::new(Arc::new(erofs), MountFlags::READ_ONLY, "/dev/vda".into()).expect("vfs");
        let (root, cwd) = (vfs.root().clone(), vfs.root().clone());
        let world = World { vfs, disk, cred: Cred::ROOT, root, cwd };

        let devfs = DevFs::new(tmpfs_options(world.vfs.anonymous_dev())).expect("devfs");
        devfs.add_memory_devices(world.vfs.devices()).expect("memory devices");
        devfs.add_char_device("nobody", Dev::new(99, 9), 0o600).expect("node");
        let dev = world.find("/dev").expect("/dev");
        world.vfs.mount(Arc::new(devfs), dev, MountFlags::READ_ONLY, "devtmpfs".into()).expect("mount");
        world
    }

    pub fn context(&self) -> FsContext<'_> {
        FsContext { root: &self.root, cred: &self.cred, umask: 0o022 }
    }

    pub fn open(&self, path: &str, flags: OpenFlags) -> Result<Arc<File>, Errno> {
        let how = OpenHow::new(flags, 0o666);
        self.vfs.open(self.context(), &Uncached(&self.disk), &self.cwd, path.as_bytes(), how)
    }

    /// Opens for reading; the path must be good.
    pub fn file(&self, path: &str) -> Arc<File> {
        self.open(path, OpenFlags::empty()).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub fn find(&self, path: &str) -> Result<Path, Errno> {
        self.lookup(path, LastSymlink::Follow)
    }

    pub fn lookup(&self, path: &str, last: LastSymlink) -> Result<Path, Errno> {
        self.vfs.lookup(self.context(), &self.cwd, path.as_bytes(), last, EmptyPath::Refuse)
    }

    /// The whole path from the process's root.
    pub fn text(&self, path: &str) -> String {
        let text = self.find(path).expect("find").to_text(&self.root).expect("text").expect("reachable");
        String::from_utf8(text).expect("UTF-8")
    }
}

/// A tmpfs with room for a thousand of everything, on which it is always the same time.
pub fn tmpfs_options(dev: Dev) -> TmpfsOptions {
    let clock = || Timespec { sec: 1_000_000, nsec: 0 };
    TmpfsOptions { name: "tmpfs", dev, root_mode: 0o777, max_pages: 1000, max_inodes: 1000, clock }
}

/// Symlinks of all kinds.
fn make_links(tree: &std::path::Path) {
    let link = |target: &str, name: &str| symlink(target, tree.join(name)).expect("symlink");
    std::fs::create_dir_all(tree.join("a/b/c")).expect("mkdir");
    std::fs::write(tree.join("a/b/file"), pattern(9, 5000)).expect("write");
    link("a/b", "to-dir");
    link("a/b/", "to-dir-slash");
    link("/a/b/file", "to-file");
    link("a/b/file/", "to-file-slash");
    link("nowhere", "dangling");
    link("self", "self");
    link("ping", "pong");
    link("pong", "ping");
    link("../../to-file", "a/b/up");
    link("/dev/null", "to-null");
    link("..", "a/b/parent");
    // chain-0 is the file, chain-40 goes through 40 links, chain-41 through 41.
    link("a/b/file", "chain-1");
    for n in 2..=41 {
        link(&format!("chain-{}", n - 1), &format!("chain-{n}"));
    }
}

/// Memory of a program that takes what is read; the part beyond `writable` cannot be written.
pub struct Buffer {
    pub bytes: Vec<u8>,
    len: usize,
    writable: usize,
}

impl Buffer {
    pub fn new(len: usize) -> Buffer {
        Buffer { bytes: Vec::new(), len, writable: len }
    }

    pub fn faulting(len: usize, writable: usize) -> Buffer {
        Buffer { bytes: Vec::new(), len, writable }
    }
}

impl ReadSink for Buffer {
    fn remaining(&self) -> usize {
        self.len - self.bytes.len()
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        assert!(bytes.len() <= self.remaining());
        let stored = bytes.len().min(self.writable.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(&bytes[..stored]);
        stored
    }
}

/// Memory of a program that is written from.
pub struct Text<'a>(pub &'a [u8]);

impl WriteSource for Text<'_> {
    fn remaining(&self) -> usize {
        self.0.len()
    }

    fn take(&mut self, buf: &mut [u8]) -> usize {
        let (head, rest) = self.0.split_at(buf.len());
        buf.copy_from_slice(head);
        self.0 = rest;
        head.len()
    }
}

/// The page cache of the tests: none, each read goes to the disk.
pub struct Uncached<'a>(pub &'a MemoryDisk);

impl PageIo for Uncached<'_> {
    fn read(
        &self,
        mapping: &Arc<AddressSpace>,
        mut pos: u64,
        sink: &mut dyn ReadSink,
    ) -> Result<usize, Errno> {
        let mut done = 0;
        while sink.remaining() > 0 && pos < mapping.size() {
            let run = mapping.ops().iomap(pos)?;
            let skip = pos - run.pos;
            let len = sink.remaining().min((run.len - skip) as usize);
            let stored = match run.kind {
                IomapKind::Hole => sink.put_zeros(len),
                IomapKind::Inline { bytes } => sink.put(&bytes[skip as usize..skip as usize + len]),
                IomapKind::Mapped { addr } => {
                    let mut bytes = vec![0; len];
                    self.0.read_at(addr + skip, &mut bytes)?;
                    sink.put(&bytes)
                }
            };
            done += stored;
            pos += stored as u64;
            if stored < len {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }
    /// Nothing on a disk is written, so this is about files without bytes.
    fn write(&self, _: &Arc<AddressSpace>, _: u64, _: &mut dyn WriteSource) -> Result<usize, Errno> {
        Err(Errno::EIO)
    }

    fn truncate(&self, mapping: &Arc<AddressSpace>, size: u64) {
        mapping.set_size(size);
    }

    fn fill_holes(&self, _: &Arc<AddressSpace>, _: u64, _: u64) -> Result<(), Errno> {
        Err(Errno::EROFS)
    }

    fn punch_hole(&self, _: &Arc<AddressSpace>, _: u64, _: u64) {}
}
