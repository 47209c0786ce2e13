//! Uses an image in every way there is, as programs could, and counts. Whatever bytes the image holds, this
//! must end soon and without a panic; errors are fine. Shared by the damage tests and the fuzz target.

mod no_io;

use abi::{Errno, OpenFlags, Whence};
use fs::block::BlockSource;
use fs::erofs::Erofs;
use fs::inode::Inode;
use fs::io::ReadSink;
use fs::kstat::{Dev, FileType};
use fs::perm::Cred;
use fs::vfs::{EmptyPath, FsContext, LastSymlink, MountFlags, OpenHow, Vfs};
use mm::filemap::{Iomap, IomapKind};
use no_io::NoIo;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Directory entries looked at in one image.
const MAX_ENTRIES: usize = 400;
/// Runs asked for in one file.
const MAX_RUNS: usize = 64;

/// An image that counts the bytes read from it.
struct CountingDisk {
    bytes: Vec<u8>,
    bytes_read: AtomicU64,
}

impl BlockSource for CountingDisk {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.bytes_read.fetch_add(buf.len() as u64, Ordering::Relaxed);
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

/// Explores `image`. Returns how many inodes were reached, `None` if it was refused.
pub fn explore(image: Vec<u8>) -> Option<usize> {
    let disk = Arc::new(CountingDisk { bytes: image, bytes_read: AtomicU64::new(0) });
    let erofs = match Erofs::mount(disk.clone(), Dev::new(254, 0)) {
        Ok(erofs) => Arc::new(erofs),
        Err(error) => {
            assert!(!error.to_string().is_empty() && error.errno().raw() != 0);
            return None;
        }
    };
    let vfs = Vfs::new(erofs, MountFlags::READ_ONLY, "image".into()).ok()?;
    let mut explorer = Explorer { vfs: &vfs, disk: &disk, inodes: 0, entries: 0 };
    explorer.visit(vfs.root().dentry.inode().clone(), 0);
    explorer.walk_paths();
    Some(explorer.inodes)
}

struct Explorer<'a> {
    vfs: &'a Vfs,
    disk: &'a CountingDisk,
    inodes: usize,
    entries: usize,
}

impl Explorer<'_> {
    /// Runs one operation and asserts that it read no more than `limit` bytes.
    fn bounded<T>(&self, limit: u64, operation: impl FnOnce() -> T) -> T {
        let before = self.disk.bytes_read.load(Ordering::Relaxed);
        let result = operation();
        let read = self.disk.bytes_read.load(Ordering::Relaxed) - before;
        assert!(read <= limit, "one operation read {read} bytes of an image of {}", self.disk.size());
        result
    }

    fn visit(&mut self, inode: Arc<dyn Inode>, depth: usize) {
        self.inodes += 1;
        let Ok(stat) = inode.stat() else { return };
        assert_eq!(stat.file_type(), inode.file_type());
        assert!(stat.size <= i64::MAX as u64 && stat.mtime.nsec < 1_000_000_000);
        match inode.file_type() {
            FileType::Directory => self.visit_directory(&*inode, depth),
            FileType::Symlink => {
                if let Ok(target) = self.bounded(16 << 10, || inode.readlink()) {
                    assert!(target.len() < 4096 && !target.contains(&0));
                }
            }
            FileType::Regular => self.visit_file(&*inode, stat.size),
            _ => assert_eq!(inode.readlink(), Err(Errno::EINVAL)),
        }
    }

    fn visit_directory(&mut self, dir: &dyn Inode, depth: usize) {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let room = MAX_ENTRIES.saturating_sub(self.entries);
        let result = dir.readdir(0, &mut |entry| {
            assert!((1..=255).contains(&entry.name.len()));
            assert!(!entry.name.iter().any(|byte| matches!(byte, 0 | b'/')));
            if names.len() == room {
                return ControlFlow::Break(());
            }
            names.push(entry.name.to_vec());
            ControlFlow::Continue(())
        });
        assert!(matches!(result, Ok(()) | Err(Errno::EUCLEAN | Errno::EINVAL)), "{result:?}");
        self.entries += names.len();
        for pos in [1, 11, 500, 4096, 1 << 20, i64::MAX as u64, u64::MAX] {
            let _ = dir.readdir(pos, &mut |_| ControlFlow::Break(()));
        }
        // A lookup halves at most 2^63 blocks, each of at most 64K and at most as long as the device.
        let block = self.disk.size().min(1 << 16);
        for name in names.iter().map(|name| &name[..]).chain([&b"nothing"[..], b"\xff"]) {
            let found = self.bounded(70 * block + 4096, || dir.lookup(name));
            if let Ok(inode) = found
                && depth < 5
                && name != b"."
                && name != b".."
            {
                self.visit(inode, depth + 1);
            }
        }
    }

    fn visit_file(&self, file: &dyn Inode, size: u64) {
        let data = file.data().expect("a regular file has data");
        let near_end = size.saturating_sub(1);
        let mut pos = 0;
        for _ in 0..MAX_RUNS {
            if pos >= size {
                break;
            }
            let Ok(run) = self.bounded(1 << 16, || data.iomap(pos)) else { break };
            self.check_run(&run, pos, size);
            pos = run.pos + run.len;
        }
        for pos in [size / 2, near_end, size, u64::MAX] {
            match self.bounded(1 << 16, || data.iomap(pos)) {
                Ok(run) => self.check_run(&run, pos, size),
                Err(error) => assert!(pos < size || error == Errno::EINVAL),
            }
        }
        let mapping = file.mapping().expect("a page cache");
        assert_eq!(mapping.size(), size);
    }

    /// A run holds the asked position, ends with the file at the latest, and lies on the device.
    fn check_run(&self, run: &Iomap, pos: u64, size: u64) {
        assert!(run.pos <= pos && pos < run.pos + run.len && run.pos + run.len <= size, "{run:?} at {pos}");
        match &run.kind {
            IomapKind::Hole => {}
            IomapKind::Mapped { addr } => assert!(addr + run.len <= self.disk.size(), "{run:?}"),
            IomapKind::Inline { bytes } => assert_eq!(bytes.len() as u64, run.len),
        }
    }

    /// What system calls do on top: path walks through whatever symlinks there are, opens, seeks, listings.
    fn walk_paths(&self) {
        let context = FsContext { root: self.vfs.root(), cred: &Cred::ROOT, umask: 0 };
        for path in
            [&b"dir/link/../link/file"[..], b"link/link/link", b"dir/./file/", b"loop", b"file", b"dir"]
        {
            let base = self.vfs.root();
            let _ = self.vfs.lookup(context, base, path, LastSymlink::Follow, EmptyPath::Refuse);
            let how = OpenHow::new(OpenFlags::empty(), 0);
            let Ok(file) = self.vfs.open(context, &NoIo, base, path, how) else { continue };
            for whence in [Whence::Data, Whence::Hole, Whence::End, Whence::Cur] {
                let _ = self.bounded(16 * self.disk.size() + 4096, || file.lseek(1, whence));
            }
            let _ = file.getdents64(&mut Discard(300));
        }
    }
}

/// Takes so many bytes and forgets them.
struct Discard(usize);

impl ReadSink for Discard {
    fn remaining(&self) -> usize {
        self.0
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        self.0 -= bytes.len();
        bytes.len()
    }
}
