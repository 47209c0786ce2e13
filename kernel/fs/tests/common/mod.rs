//! Tools of the tests: source trees, images made of them by `mkfs.erofs`, a device in memory, and a
//! comparison of the two.
#![allow(dead_code)] // Each test binary uses its part.

use abi::Errno;
use fs::block::BlockSource;
use fs::erofs::Erofs;
use fs::inode::{FileSystem, Inode};
use fs::kstat::{Dev, FileType};
use mm::filemap::IomapKind;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Device number of the test disk.
pub const DISK: Dev = Dev::new(254, 0);

/// A disk in memory that counts what is read from it.
pub struct MemoryDisk {
    bytes: Vec<u8>,
    reads: AtomicU64,
}

impl MemoryDisk {
    pub fn new(bytes: Vec<u8>) -> Arc<MemoryDisk> {
        Arc::new(MemoryDisk { bytes, reads: AtomicU64::new(0) })
    }

    /// Number of `read_at` calls so far.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

impl BlockSource for MemoryDisk {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let begin = usize::try_from(offset).map_err(|_| Errno::EIO)?;
        let end = begin.checked_add(buf.len()).ok_or(Errno::EIO)?;
        buf.copy_from_slice(self.bytes.get(begin..end).ok_or(Errno::EIO)?);
        Ok(())
    }

    fn device(&self) -> u32 {
        0
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// A fresh, empty directory for the test called `name`.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fs").join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("create scratch directory");
    dir
}

/// Makes an image of `tree` with the given further options of `mkfs.erofs`.
pub fn mkfs(tree: &Path, options: &[&str]) -> Vec<u8> {
    let image = tree.with_extension("erofs");
    let output = Command::new("mkfs.erofs")
        .args(["-T0", "--all-root", "-U", "00000000-0000-4000-8000-000000000000", "--quiet"])
        .args(options)
        .arg(&image)
        .arg(tree)
        .output()
        .expect("these tests need mkfs.erofs (Debian: apt-get install erofs-utils)");
    assert!(output.status.success(), "mkfs.erofs: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(&image).expect("read the image")
}

/// Mounts an image.
pub fn mount(image: Vec<u8>) -> (Erofs, Arc<MemoryDisk>) {
    let disk = MemoryDisk::new(image);
    let fs = Erofs::mount(disk.clone(), DISK).unwrap_or_else(|e| panic!("{e}"));
    (fs, disk)
}

/// Bytes that differ everywhere, so that a wrong offset cannot go unnoticed.
pub fn pattern(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..len).map(step).collect()
}

/// A tree with one of everything that an image can hold without root rights.
pub fn make_tree(root: &Path) {
    let write = |name: &str, bytes: &[u8]| std::fs::write(root.join(name), bytes).expect("write");
    for (seed, len) in [0, 1, 100, 4000, 4095, 4096, 4097, 8192, 12_345, 65_536, 300_001].iter().enumerate() {
        write(&format!("file-{len}"), &pattern(seed as u32 + 1, *len));
    }
    // A hole between data, a hole at the end, nothing but a hole.
    let mut sparse = vec![0; 3 << 20];
    sparse[..5000].copy_from_slice(&pattern(77, 5000));
    sparse[2 << 20..(2 << 20) + 9000].copy_from_slice(&pattern(78, 9000));
    write_sparse(&root.join("sparse"), &sparse);
    write_sparse(&root.join("hole"), &vec![0; 1 << 20]);
    // The same bytes twice: chunk-based images store them once.
    write("twin-a", &pattern(5, 40_000));
    write("twin-b", &pattern(5, 40_000));

    std::fs::hard_link(root.join("file-4097"), root.join("hard-link")).expect("link");
    symlink("file-100", root.join("short-link")).expect("symlink");
    symlink("x/".repeat(2000), root.join("long-link")).expect("symlink");
    symlink("/absolute/target", root.join("absolute-link")).expect("symlink");

    std::fs::create_dir(root.join("empty")).expect("mkdir");
    let mut deep = root.join("deep");
    for depth in 0..60 {
        deep.push(format!("level-{depth}"));
    }
    std::fs::create_dir_all(&deep).expect("mkdir");
    std::fs::write(deep.join("bottom"), b"reached").expect("write");

    let names = root.join("names");
    std::fs::create_dir(&names).expect("mkdir");
    for name in ["n".repeat(254), "-".into(), " ".into(), "\u{e9}\u{fc}".into(), ".h".into()] {
        std::fs::write(names.join(name), b"named").expect("write");
    }
}

/// A directory of `count` files, many blocks of entries.
pub fn make_long_directory(dir: &Path, count: usize) {
    std::fs::create_dir_all(dir).expect("mkdir");
    for n in 0..count {
        std::fs::write(dir.join(format!("entry-{n}")), n.to_string()).expect("write");
    }
}

fn write_sparse(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::create(path).expect("create");
    file.set_len(bytes.len() as u64).expect("set length");
    for (index, block) in bytes.chunks(4096).enumerate() {
        if block.iter().any(|byte| *byte != 0) {
            file.write_all_at(block, index as u64 * 4096).expect("write");
        }
    }
}

/// All bytes of a regular file, found through `iomap` from every run's start, as a page cache would.
pub fn read_file(inode: &dyn Inode, disk: &MemoryDisk) -> Result<Vec<u8>, Errno> {
    let data = inode.data().expect("a regular file");
    let size = inode.stat()?.size;
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < size {
        let pos = bytes.len() as u64;
        let run = data.iomap(pos)?;
        assert!(run.pos <= pos && pos < run.pos + run.len && run.pos + run.len <= size, "{run:?} at {pos}");
        let skip = pos - run.pos;
        let len = (run.len - skip) as usize;
        match run.kind {
            IomapKind::Hole => bytes.resize(bytes.len() + len, 0),
            IomapKind::Inline { bytes: tail } => bytes.extend_from_slice(&tail[skip as usize..]),
            IomapKind::Mapped { addr } => {
                let begin = bytes.len();
                bytes.resize(begin + len, 0);
                disk.read_at(addr + skip, &mut bytes[begin..])?;
            }
        }
    }
    Ok(bytes)
}

/// The entries of a directory, read `batch` at a time from the cookie where the last batch ended.
pub fn read_dir(dir: &dyn Inode, batch: usize) -> Result<BTreeMap<Vec<u8>, u64>, Errno> {
    let mut entries = BTreeMap::new();
    let mut pos = 0;
    loop {
        let mut taken = 0;
        dir.readdir(pos, &mut |entry| {
            if taken == batch {
                return ControlFlow::Break(());
            }
            taken += 1;
            pos = entry.next;
            let before = entries.insert(entry.name.to_vec(), entry.ino);
            assert_eq!(before, None, "{:?} twice", entry.name);
            ControlFlow::Continue(())
        })?;
        if taken < batch {
            return Ok(entries);
        }
    }
}

/// Asserts that `inode` is what lies at `path` on the host, and everything below it too.
pub fn assert_same(path: &Path, inode: &Arc<dyn Inode>, disk: &MemoryDisk) {
    let host = std::fs::symlink_metadata(path).expect("stat on the host");
    let stat = inode.stat().expect("stat");
    assert_eq!(stat.mode, host.mode(), "mode of {path:?}");
    assert_eq!(stat.dev, DISK);
    assert_eq!((stat.uid, stat.gid), (0, 0));
    match inode.file_type() {
        FileType::Regular => {
            assert_eq!(stat.size, host.len(), "size of {path:?}");
            assert_eq!(u64::from(stat.nlink), host.nlink(), "links of {path:?}");
            let wanted = std::fs::read(path).expect("read on the host");
            assert!(read_file(&**inode, disk).expect("read") == wanted, "bytes of {path:?}");
        }
        FileType::Symlink => {
            let wanted = std::fs::read_link(path).expect("readlink on the host");
            assert_eq!(inode.readlink().expect("readlink"), wanted.as_os_str().as_encoded_bytes());
        }
        FileType::Directory => {
            let mut wanted: Vec<_> = std::fs::read_dir(path)
                .expect("list on the host")
                .map(|entry| entry.expect("entry").file_name().into_encoded_bytes())
                .collect();
            wanted.extend([b".".to_vec(), b"..".to_vec()]);
            wanted.sort();
            for batch in [usize::MAX, 1, 7] {
                let names: Vec<_> = read_dir(&**inode, batch).expect("readdir").into_keys().collect();
                assert_eq!(names, wanted, "names in {path:?}");
            }
            for (name, ino) in read_dir(&**inode, usize::MAX).expect("readdir") {
                if name == b"." || name == b".." {
                    continue;
                }
                let child = inode.lookup(&name).expect("lookup");
                assert_eq!(child.stat().expect("stat").ino, ino);
                let name = std::str::from_utf8(&name).expect("UTF-8");
                assert_same(&path.join(name), &child, disk);
            }
        }
        other => panic!("{path:?} is a {other:?}"),
    }
}

/// Root inode of a mounted image.
pub fn root(fs: &Erofs) -> Arc<dyn Inode> {
    fs.root().expect("root")
}
