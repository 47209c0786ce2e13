//! What the format allows and `mkfs.erofs` does not make: each block size, each combination of inode,
//! attributes and layout, holes, and names of all lengths.

#[path = "common/builder.rs"]
mod builder;
mod common;
#[path = "common/no_io.rs"]
mod no_io;

use abi::{OpenFlags, Whence};
use builder::{Builder, Layout, Node};
use common::{DISK, MemoryDisk, mount, pattern, read_dir, read_file, root};
use fs::erofs::Erofs;
use fs::kstat::{Dev, FileType, Timespec};
use fs::perm::Cred;
use fs::vfs::{FsContext, MountFlags, OpenHow, Vfs};
use no_io::NoIo;
use std::sync::Arc;

fn layouts() -> Vec<Layout> {
    let mut all = vec![Layout::Plain, Layout::Inline];
    for indexes in [false, true] {
        for bits in [0, 1, 3] {
            all.push(Layout::Chunks { bits, indexes });
        }
    }
    all
}

/// Data, a hole and data again, of a length around a multiple of the block size.
fn contents(block: usize) -> Vec<Vec<u8>> {
    let lengths = [0, 1, block / 3, block - 80, block + 5, 2 * block, 3 * block - 81, 9 * block + 1];
    let mut all: Vec<_> = lengths.iter().map(|len| pattern(*len as u32, *len)).collect();
    let mut sparse = pattern(1, 12 * block);
    sparse[2 * block..10 * block].fill(0);
    all.push(sparse);
    all.push(vec![0; 5 * block]);
    all
}

#[test]
fn all_block_sizes_inodes_and_layouts() {
    for block_bits in 9..=16 {
        for layout in layouts() {
            let mut builder = Builder::new(block_bits);
            let (mut entries, mut wanted) = (Vec::new(), Vec::new());
            for (index, bytes) in contents(1 << block_bits).into_iter().enumerate() {
                for extended in [false, true] {
                    for xattrs in [0, 1, 6] {
                        // A full block cannot lie behind its inode; mkfs makes such a file plain.
                        let tail_fits = bytes.is_empty() || bytes.len() % (1 << block_bits) != 0;
                        let layout =
                            if layout == Layout::Inline && !tail_fits { Layout::Plain } else { layout };
                        let node = Node { mode: 0o100_640, layout, extended, xattrs, bytes: bytes.clone() };
                        let name = format!("{index}-{extended}-{xattrs}").into_bytes();
                        entries.push((name.clone(), builder.add(&node), 1));
                        wanted.push((name, extended, bytes.clone()));
                    }
                }
            }
            let top = builder.add_dir(&entries, Layout::Plain);
            let (fs, disk) = mount(builder.finish(top));
            for (name, extended, bytes) in wanted {
                let file = root(&fs).lookup(&name).expect("lookup");
                assert!(
                    read_file(&*file, &disk).expect("read") == bytes,
                    "{name:?} {layout:?} 2^{block_bits}"
                );
                let stat = file.stat().expect("stat");
                let (ids, mtime) = if extended {
                    ((70_000, 80_000), Timespec { sec: 1_700_000_000, nsec: 123_456_789 })
                } else {
                    ((7, 8), Timespec { sec: 1_600_000_000, nsec: 5 })
                };
                assert_eq!(((stat.uid, stat.gid), stat.mtime), (ids, mtime));
                assert_eq!((stat.size, stat.blksize), (bytes.len() as u64, 1 << block_bits));
            }
        }
    }
}

#[test]
fn names_of_all_lengths_in_all_directory_layouts() {
    for layout in layouts() {
        let mut builder = Builder::new(12);
        let file =
            Node { mode: 0o100_644, layout: Layout::Inline, extended: false, xattrs: 0, bytes: vec![1] };
        let mut entries = Vec::new();
        for len in 1..=255 {
            entries.push((vec![b'a' + (len % 26) as u8; len], builder.add(&file), 1));
        }
        for name in [&b"..x"[..], b"...", b".a", b"\x01", b"\xff\xfe", b" "] {
            entries.push((name.to_vec(), builder.add(&file), 1));
        }
        let total: usize = entries.iter().map(|(name, ..)| 12 + name.len()).sum();
        // The tail of a directory lies behind its inode only if it fits there.
        let layout = if layout == Layout::Inline && total % 4096 > 4000 { Layout::Plain } else { layout };
        let top = builder.add_dir(&entries, layout);
        let (fs, _) = mount(builder.finish(top));
        let listed = read_dir(&*root(&fs), 5).expect("readdir");
        assert_eq!(listed.len(), entries.len() + 2);
        for (name, nid, _) in entries {
            assert_eq!(listed.get(&name), Some(&nid));
            assert_eq!(root(&fs).lookup(&name).expect("lookup").stat().expect("stat").ino, nid);
        }
    }
}

#[test]
fn symlinks_and_device_nodes() {
    let mut builder = Builder::new(12);
    let mut node = |mode, layout, bytes: &[u8]| {
        builder.add(&Node { mode, layout, extended: true, xattrs: 2, bytes: bytes.to_vec() })
    };
    let short = node(0o120_777, Layout::Inline, b"target");
    let plain = node(0o120_777, Layout::Plain, &[b'x'; 4095]);
    let long = node(0o120_777, Layout::Plain, &[b'x'; 4096]);
    let nul = node(0o120_777, Layout::Inline, b"a\0b");
    let device = node(0o020_600, Layout::Plain, b"");
    let entries = [("short", short), ("plain", plain), ("long", long), ("nul", nul), ("device", device)];
    let entries = entries.map(|(name, nid)| (name.as_bytes().to_vec(), nid, 7));
    let top = builder.add_dir(&entries, Layout::Inline);
    let (fs, _) = mount(builder.finish(top));
    let readlink = |name: &[u8]| root(&fs).lookup(name).expect("lookup").readlink();
    assert_eq!(readlink(b"short").expect("short"), b"target");
    assert_eq!(readlink(b"plain").expect("plain"), [b'x'; 4095]);
    assert_eq!(readlink(b"long"), Err(abi::Errno::EUCLEAN));
    assert_eq!(readlink(b"nul"), Err(abi::Errno::EUCLEAN));
    let device = root(&fs).lookup(b"device").expect("device");
    assert_eq!(device.file_type(), FileType::CharDevice);
    assert_ne!(device.stat().expect("stat").rdev, Dev::new(1, 3), "the block address is what it is");
}

#[test]
fn seeks_find_holes() {
    let mut bytes = vec![0; 64 * 4096];
    bytes[..5000].copy_from_slice(&pattern(77, 5000));
    bytes[20 * 4096..23 * 4096].copy_from_slice(&pattern(78, 3 * 4096));
    let mut builder = Builder::new(12);
    let layout = Layout::Chunks { bits: 0, indexes: true };
    let file = builder.add(&Node { mode: 0o100_644, layout, extended: false, xattrs: 0, bytes });
    let top = builder.add_dir(&[(b"sparse".to_vec(), file, 1)], Layout::Plain);
    let erofs = Erofs::mount(MemoryDisk::new(builder.finish(top)), DISK).unwrap_or_else(|e| panic!("{e}"));
    let vfs = Vfs::new(Arc::new(erofs), MountFlags::READ_ONLY, "x".into()).expect("vfs");
    let context = FsContext { root: vfs.root(), cred: &Cred::ROOT, umask: 0 };
    let how = OpenHow::new(OpenFlags::empty(), 0);
    let sparse = vfs.open(context, &NoIo, vfs.root(), b"sparse", how).expect("open");
    assert_eq!(sparse.lseek(100, Whence::Data), Ok(100));
    assert_eq!(sparse.lseek(0, Whence::Hole), Ok(8192));
    assert_eq!(sparse.lseek(9000, Whence::Hole), Ok(9000));
    assert_eq!(sparse.lseek(9000, Whence::Data), Ok(20 * 4096));
    assert_eq!(sparse.lseek(20 * 4096 + 5, Whence::Hole), Ok(23 * 4096));
    assert_eq!(sparse.lseek(23 * 4096, Whence::Data), Err(abi::Errno::ENXIO));
    assert_eq!(sparse.lseek(0, Whence::Cur), Ok(23 * 4096));
}
