//! The rules of Linux's file system calls, on a tree with a root file system and `/dev`.

mod common;
#[path = "common/tree.rs"]
mod tree;

use abi::{CapSet, Errno, OpenFlags, Prot, Whence};
use common::{mkfs, pattern, scratch};
use fs::inode::{FileSystem, FsStat, Inode};
use fs::kstat::{Dev, FileType, Kstat};
use fs::perm::Cred;
use fs::vfs::{EmptyPath, FileKind, FsContext, LastSymlink, MmapTarget, MountFlags, Sharing, Vfs};
use std::sync::Arc;
use tree::{Buffer, Text, Uncached, World};

const RDONLY: OpenFlags = OpenFlags::empty();

#[test]
fn paths_lead_where_linux_leads() {
    let world = World::new();
    for (path, place) in [
        ("/", "/"),
        ("//a///b/.//c", "/a/b/c"),
        ("a/b/c/", "/a/b/c"),
        ("a/../a/b/..", "/a"),
        ("../../..", "/"),
        ("/..", "/"),
        ("to-dir", "/a/b"),
        ("to-dir/", "/a/b"),
        ("to-dir/..", "/a"),
        ("to-dir-slash", "/a/b"),
        ("to-dir/c/../file", "/a/b/file"),
        ("to-file", "/a/b/file"),
        ("a/b/up", "/a/b/file"),
        ("a/b/parent/b/parent", "/a"),
        ("chain-40", "/a/b/file"),
        ("dev", "/dev"),
        ("dev/null", "/dev/null"),
        ("to-null", "/dev/null"),
        ("dev/..", "/"),
        ("dev/../dev/./zero", "/dev/zero"),
    ] {
        assert_eq!(world.text(path), place, "{path}");
    }
}

#[test]
fn paths_fail_as_linux_fails() {
    let world = World::new();
    let long_name = format!("a/{}", "n".repeat(256));
    let under_a_file = format!("file-100/{}", "n".repeat(256));
    let longest = format!("{}a", "./".repeat(2047));
    let too_long = format!("{}a/", "./".repeat(2047));
    for (path, errno) in [
        ("", Errno::ENOENT),
        ("nothing", Errno::ENOENT),
        ("nothing/", Errno::ENOENT),
        ("nothing/a", Errno::ENOENT),
        ("a/b/file/", Errno::ENOTDIR),
        ("a/b/file/.", Errno::ENOTDIR),
        ("a/b/file/..", Errno::ENOTDIR),
        ("a/b/file/x", Errno::ENOTDIR),
        ("to-file/", Errno::ENOTDIR),
        ("to-file-slash", Errno::ENOTDIR),
        ("dangling", Errno::ENOENT),
        ("self", Errno::ELOOP),
        ("ping", Errno::ELOOP),
        ("ping/x", Errno::ELOOP),
        ("chain-41", Errno::ELOOP),
        ("dev/covered", Errno::ENOENT),
        ("dev/null/", Errno::ENOTDIR),
        (&long_name, Errno::ENAMETOOLONG),
        (&under_a_file, Errno::ENOTDIR),
        (&too_long, Errno::ENAMETOOLONG),
    ] {
        assert_eq!(world.find(path).err(), Some(errno), "{path:.40}");
        let opened = world.open(path, RDONLY).err();
        assert_eq!(opened, Some(errno), "open {path:.40}");
    }
    assert!(longest.len() == 4095 && world.find(&longest).is_ok());
}

#[test]
fn the_last_symlink_is_kept_if_asked() {
    let world = World::new();
    let keep = |path| world.lookup(path, LastSymlink::Keep).map(|path| path.file_type());
    assert_eq!(keep("to-dir"), Ok(FileType::Symlink));
    assert_eq!(keep("to-dir/"), Ok(FileType::Directory));
    assert_eq!(keep("to-dir/c"), Ok(FileType::Directory));
    assert_eq!(keep("self"), Ok(FileType::Symlink));
    assert_eq!(keep("dangling"), Ok(FileType::Symlink));
    let link = world.lookup("to-file", LastSymlink::Keep).expect("link");
    assert_eq!(link.dentry.inode().readlink().expect("readlink"), b"/a/b/file");
    assert_eq!(world.find("a").expect("a").dentry.inode().readlink(), Err(Errno::EINVAL));
}

#[test]
fn an_empty_path_can_stand_for_the_base() {
    let world = World::new();
    let base = world.find("to-file").expect("file");
    let found = world.vfs.lookup(world.context(), &base, b"", LastSymlink::Follow, EmptyPath::Base);
    assert_eq!(found.as_ref(), Ok(&base));
    // A relative path from a file, and an absolute one, which never looks at the base.
    let from_file =
        |path| world.vfs.lookup(world.context(), &base, path, LastSymlink::Follow, EmptyPath::Refuse);
    assert_eq!(from_file(b"x").err(), Some(Errno::ENOTDIR));
    assert!(from_file(b"/a").is_ok());
}

#[test]
fn dot_dot_stops_at_the_process_root() {
    let mut world = World::new();
    world.root = world.find("a").expect("a");
    world.cwd = world.find("a/b").expect("b");
    assert_eq!(world.text("../../../.."), "/");
    assert_eq!(world.text("/b/file"), "/b/file");
    assert_eq!(world.find("/to-file").err(), Some(Errno::ENOENT));
    let outside = world.vfs.root().clone();
    assert_eq!(outside.to_text(&world.root), Ok(None));
}

#[test]
fn lookups_of_one_name_share_a_dentry() {
    let world = World::new();
    let first = world.find("a/b/file").expect("first");
    let before = world.disk.reads();
    let second = world.find("to-dir/file").expect("second");
    assert_eq!(first, second);
    // Only the symlink was new.
    assert!(world.disk.reads() - before < 10);
    let before = world.disk.reads();
    world.find("to-dir/file").expect("third");
    assert_eq!(world.disk.reads() - before, 1, "the symlink's target");
    // A listing of a long directory finds its inodes again the second time.
    let list = || (0..1200).for_each(|n| drop(world.find(&format!("long/entry-{n}")).expect("entry")));
    list();
    let before = world.disk.reads();
    list();
    assert_eq!(world.disk.reads(), before);
}

#[test]
fn open_checks_in_linux_order() {
    let world = World::new();
    use OpenFlags as F;
    let creat = F::CREAT | F::WRONLY;
    for (path, flags, errno) in [
        ("a", F::WRONLY, Errno::EISDIR),
        ("a", F::RDWR, Errno::EISDIR),
        ("a", F::CREAT, Errno::EISDIR),
        ("a", F::TRUNC, Errno::EISDIR),
        ("file-100", F::WRONLY, Errno::EROFS),
        ("file-100", F::RDWR, Errno::EROFS),
        ("file-100", F::ACCMODE, Errno::EROFS),
        ("file-100", F::TRUNC, Errno::EROFS),
        ("file-100", creat, Errno::EROFS),
        ("file-100", F::DIRECTORY, Errno::ENOTDIR),
        ("file-100", F::CREAT | F::EXCL, Errno::EEXIST),
        ("dangling", F::CREAT | F::EXCL, Errno::EEXIST),
        ("self", F::CREAT | F::EXCL, Errno::EEXIST),
        ("new", creat, Errno::EROFS),
        ("new", F::CREAT, Errno::EROFS),
        ("dev/new", creat, Errno::EROFS),
        ("dangling", creat, Errno::EROFS),
        ("new/", creat, Errno::EISDIR),
        ("file-100/", creat, Errno::EISDIR),
        ("a/.", creat, Errno::EISDIR),
        ("new/x", creat, Errno::ENOENT),
        ("a", F::CREAT | F::DIRECTORY, Errno::EINVAL),
        ("to-file", F::NOFOLLOW, Errno::ELOOP),
        ("to-dir", F::NOFOLLOW, Errno::ELOOP),
        ("to-dir", F::NOFOLLOW | F::DIRECTORY, Errno::ENOTDIR),
        ("to-file", F::DIRECTORY, Errno::ENOTDIR),
        ("a", F::TMPFILE_BIT | F::DIRECTORY, Errno::EINVAL),
        ("a", F::TMPFILE_BIT | F::RDWR, Errno::EINVAL),
        ("a", F::TMPFILE_BIT | F::DIRECTORY | F::RDWR, Errno::EROFS),
        ("dev/nobody", RDONLY, Errno::ENXIO),
        ("dev/null", F::DIRECT, Errno::EINVAL),
        ("a", F::DIRECT, Errno::EINVAL),
    ] {
        assert_eq!(world.open(path, flags).err(), Some(errno), "{path} {flags:?}");
    }
    for (path, flags) in [
        ("a", RDONLY),
        ("a/", F::DIRECTORY),
        ("to-dir/", F::NOFOLLOW),
        ("file-100", F::CREAT),
        ("file-100", F::DIRECT | F::NOATIME),
        ("dev/null", F::RDWR | F::CREAT | F::TRUNC),
        ("to-null", F::WRONLY),
        ("to-file", F::PATH | F::NOFOLLOW | F::WRONLY),
        ("dev/nobody", F::PATH),
    ] {
        assert!(world.open(path, flags).is_ok(), "{path} {flags:?}");
    }
    let file = world.open("file-100", F::CREAT | F::NONBLOCK | F::CLOEXEC | F::from_bits_retain(1 << 30));
    assert_eq!(file.expect("open").flags(), F::NONBLOCK | F::LARGEFILE);
}

#[test]
fn a_path_descriptor_only_names() {
    let world = World::new();
    let io = Uncached(&world.disk);
    for path in ["to-file", "a"] {
        let file = world.open(path, OpenFlags::PATH | OpenFlags::NOFOLLOW).expect("open");
        assert!(matches!(file.kind(), FileKind::Path));
        assert_eq!(file.read(&io, &mut Buffer::new(10)), Err(Errno::EBADF));
        assert_eq!(file.pread(&io, 0, &mut Buffer::new(10)), Err(Errno::EBADF));
        assert_eq!(file.write(&io, &mut Text(b"x")), Err(Errno::EBADF));
        assert_eq!(file.lseek(0, Whence::Set), Err(Errno::EBADF));
        assert_eq!(file.getdents64(&mut Buffer::new(1000)), Err(Errno::EBADF));
        assert_eq!(file.ioctl(1, 0), Err(Errno::EBADF));
        assert!(file.stat().is_ok());
    }
}

#[test]
fn permissions_bind_others_than_the_superuser() {
    use std::os::unix::fs::PermissionsExt;
    let tree = scratch("permissions").join("tree");
    for dir in ["open", "closed", "dev"] {
        std::fs::create_dir_all(tree.join(dir)).expect("mkdir");
        for (name, mode) in [("data", 0o600), ("program", 0o755)] {
            let file = tree.join(dir).join(name);
            std::fs::write(&file, "x").expect("write");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("chmod");
        }
    }
    std::fs::set_permissions(tree.join("closed"), std::fs::Permissions::from_mode(0o700)).expect("chmod");
    let mut world = World::of_image(mkfs(&tree, &[]));
    let exec = |world: &World, path: &str| {
        world.vfs.open_exec(world.context(), &world.cwd, path.as_bytes()).map(|_| ())
    };

    assert!(world.open("open/data", RDONLY).is_ok() && world.open("closed/data", RDONLY).is_ok());
    assert_eq!(exec(&world, "open/data"), Err(Errno::EACCES));
    assert_eq!(exec(&world, "open"), Err(Errno::EACCES));
    assert_eq!(exec(&world, "dev/null"), Err(Errno::EACCES));
    assert_eq!(exec(&world, "nothing"), Err(Errno::ENOENT));
    assert_eq!(exec(&world, "open/program"), Ok(()));
    world.cred = Cred { uid: 1000, gid: 1000, groups: None, caps: CapSet::empty() };
    assert_eq!(world.open("open/data", RDONLY).err(), Some(Errno::EACCES));
    assert_eq!(world.open("closed/program", RDONLY).err(), Some(Errno::EACCES));
    assert_eq!(world.open("open/program", OpenFlags::NOATIME).err(), Some(Errno::EPERM));
    assert_eq!(exec(&world, "open/program"), Ok(()));
    assert_eq!(exec(&world, "closed/program"), Err(Errno::EACCES));
}

#[test]
fn reads_move_the_position_and_preads_do_not() {
    let world = World::new();
    let io = Uncached(&world.disk);
    let file = world.file("file-12345");
    let wanted = pattern(9, 12_345);
    let read = |len| {
        let mut buffer = Buffer::new(len);
        let done = file.read(&io, &mut buffer).expect("read");
        assert_eq!(done, buffer.bytes.len());
        buffer.bytes
    };
    assert_eq!(read(5000), wanted[..5000]);
    assert_eq!(read(0), []);
    let mut buffer = Buffer::new(100);
    assert_eq!(file.pread(&io, 12_300, &mut buffer), Ok(45));
    assert_eq!(buffer.bytes, wanted[12_300..]);
    assert_eq!(read(20_000), wanted[5000..]);
    assert_eq!(read(20_000), []);
    assert_eq!(file.pread(&io, i64::MAX as u64, &mut Buffer::new(9)), Ok(0));
    assert_eq!(file.write(&io, &mut Text(b"x")), Err(Errno::EBADF));
    assert_eq!(file.ioctl(0x5413, 0), Err(Errno::ENOTTY));

    file.lseek(0, Whence::Set).expect("rewind");
    assert_eq!(file.read(&io, &mut Buffer::faulting(100, 0)), Err(Errno::EFAULT));
    assert_eq!(file.read(&io, &mut Buffer::faulting(100, 30)), Ok(30));
    assert_eq!(file.lseek(0, Whence::Cur), Ok(30));
    assert_eq!(world.file("a").read(&io, &mut Buffer::new(0)), Err(Errno::EISDIR));
    assert_eq!(world.file("a").pread(&io, 0, &mut Buffer::new(1)), Err(Errno::EISDIR));
}

#[test]
fn seeks() {
    let world = World::new();
    let file = world.file("file-8192");
    let seek = |offset, whence| file.lseek(offset, whence);
    assert_eq!(seek(100, Whence::Set), Ok(100));
    assert_eq!(seek(-1, Whence::Set), Err(Errno::EINVAL));
    assert_eq!(seek(-50, Whence::Cur), Ok(50));
    assert_eq!(seek(-51, Whence::Cur), Err(Errno::EINVAL));
    assert_eq!(seek(i64::MAX, Whence::Cur), Err(Errno::EINVAL));
    assert_eq!(seek(-8192, Whence::End), Ok(0));
    assert_eq!(seek(-8193, Whence::End), Err(Errno::EINVAL));
    assert_eq!(seek(10, Whence::End), Ok(8202));
    assert_eq!(seek(i64::MAX, Whence::Set), Ok(i64::MAX as u64));
    assert_eq!(seek(i64::MAX, Whence::End), Err(Errno::EINVAL));
    for whence in [Whence::Data, Whence::Hole] {
        assert_eq!(seek(-1, whence), Err(Errno::ENXIO));
        assert_eq!(seek(8192, whence), Err(Errno::ENXIO));
    }
    assert_eq!(seek(5, Whence::Data), Ok(5));
    assert_eq!(seek(5, Whence::Hole), Ok(8192));

    let dir = world.file("a");
    assert_eq!(dir.lseek(0, Whence::Set), Ok(0));
    assert_eq!(dir.lseek(0, Whence::Hole), Ok(dir.stat().expect("stat").size));
}

/// Decodes what `getdents64` wrote: inode, next cookie, type, name.
fn records(mut bytes: &[u8]) -> Vec<(u64, u64, u8, String)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let len = usize::from(u16::from_le_bytes([bytes[16], bytes[17]]));
        assert_eq!(len % 8, 0);
        let name = bytes[19..len].split(|byte| *byte == 0).next().expect("name");
        assert_eq!(len, (19 + name.len() + 1).next_multiple_of(8));
        found.push((word(0), word(8), bytes[18], String::from_utf8(name.to_vec()).expect("UTF-8")));
        bytes = &bytes[len..];
    }
    found
}

#[test]
fn directory_records() {
    let world = World::new();
    let list = |path: &str, size: usize| {
        let dir = world.file(path);
        let mut all = Vec::new();
        loop {
            let mut buffer = Buffer::new(size);
            match dir.getdents64(&mut buffer).unwrap_or_else(|e| panic!("{path}: {e}")) {
                0 => return all,
                done => assert_eq!(done, buffer.bytes.len()),
            }
            all.extend(records(&buffer.bytes));
        }
    };
    for size in [1 << 16, 4096, 300, 280] {
        let long = list("long", size);
        let names: std::collections::BTreeSet<_> = long.iter().map(|record| record.3.clone()).collect();
        assert_eq!((long.len(), names.len()), (1202, 1202), "buffer of {size}");
        for (ino, _, file_type, name) in &long[..20] {
            let stat = world.lookup(&format!("long/{name}"), LastSymlink::Keep).expect("entry");
            assert_eq!(*file_type, stat.file_type().d_type());
            assert_eq!(*ino, stat.dentry.inode().stat().expect("stat").ino);
        }
    }
    let types = |path| list(path, 4096).into_iter().map(|(_, _, t, name)| (name, t)).collect::<Vec<_>>();
    let dev = [(".", 4), ("..", 4), ("null", 2), ("zero", 2), ("full", 2), ("nobody", 2)];
    assert_eq!(types("dev"), dev.map(|(name, t)| (name.to_string(), t)));
    assert!(types("a/b").contains(&("up".into(), 10)) && types("a/b").contains(&("file".into(), 8)));

    // A cookie from a record leads to the record after it.
    let all = list("long", 4096);
    let dir = world.file("long");
    for n in [0, 5, 170, 700, 1200] {
        dir.lseek(all[n].1 as i64, Whence::Set).expect("seek");
        let mut buffer = Buffer::new(64);
        dir.getdents64(&mut buffer).expect("getdents");
        assert_eq!(records(&buffer.bytes)[0].3, all[n + 1].3);
    }

    let dir = world.file("names");
    assert_eq!(dir.getdents64(&mut Buffer::new(23)), Err(Errno::EINVAL));
    assert_eq!(dir.getdents64(&mut Buffer::faulting(100, 3)), Err(Errno::EFAULT));
    assert_eq!(dir.getdents64(&mut Buffer::faulting(1000, 30)), Ok(24), "the first came through");
    assert_eq!(world.file("file-100").getdents64(&mut Buffer::new(1000)), Err(Errno::ENOTDIR));
    assert_eq!(world.file("dev/null").getdents64(&mut Buffer::new(1000)), Err(Errno::ENOTDIR));
}

#[test]
fn memory_devices() {
    let world = World::new();
    let io = Uncached(&world.disk);
    let open = |name: &str| world.open(name, OpenFlags::RDWR).expect(name);
    let (null, zero, full) = (open("dev/null"), open("dev/zero"), open("dev/full"));
    assert_eq!(null.read(&io, &mut Buffer::new(10)), Ok(0));
    assert_eq!(null.write(&io, &mut Text(b"hello")), Ok(5));
    let mut buffer = Buffer::new(1000);
    assert_eq!(zero.read(&io, &mut buffer), Ok(1000));
    assert_eq!(buffer.bytes, vec![0; 1000]);
    assert_eq!(zero.read(&io, &mut Buffer::faulting(1000, 300)), Ok(300));
    assert_eq!(zero.read(&io, &mut Buffer::faulting(1000, 0)), Err(Errno::EFAULT));
    assert_eq!(full.read(&io, &mut Buffer::new(7)), Ok(7));
    assert_eq!(full.write(&io, &mut Text(b"x")), Err(Errno::ENOSPC));
    for device in [&null, &zero, &full] {
        assert_eq!(device.lseek(100, Whence::End), Ok(0));
        assert!(device.pread(&io, 5, &mut Buffer::new(0)).is_ok());
        assert_eq!(device.ioctl(0x5401, 0), Err(Errno::ENOTTY));
    }
    let stat = null.stat().expect("stat");
    assert_eq!((stat.mode, stat.rdev), (0o020_666, Dev::new(1, 3)));
    assert_eq!(world.open("dev/null", RDONLY).expect("null").write(&io, &mut Text(b"x")), Err(Errno::EBADF));
    assert_eq!(
        world.open("dev/null", OpenFlags::ACCMODE).expect("null").read(&io, &mut Buffer::new(1)),
        Err(Errno::EBADF)
    );
    assert_ne!(stat.dev, world.file("a").stat().expect("stat").dev);
}

#[test]
fn opens_of_one_file_share_its_page_cache() {
    let world = World::new();
    let mapping = |path: &str| match world.file(path).kind() {
        FileKind::PageCache(mapping) => mapping.clone(),
        _ => panic!("{path} is no regular file"),
    };
    let first = mapping("file-4097");
    assert!(Arc::ptr_eq(&first, &mapping("hard-link")));
    assert!(!Arc::ptr_eq(&first, &mapping("file-4096")));
    assert_eq!(first.size(), 4097);
}

#[test]
fn what_can_be_mapped() {
    let world = World::new();
    use Sharing::{Private, Shared};
    let map = |path: &str, flags, prot, sharing| {
        let file = world.open(path, flags).expect(path);
        file.mmap_target(prot, sharing).map(|target| match target {
            MmapTarget::Anonymous => "anonymous".to_string(),
            MmapTarget::File(mapped) => {
                let mut path = String::new();
                mapped.write_path(&mut path).expect("path");
                format!("{path} of {}", mapped.mapping().size())
            }
        })
    };
    let all = Prot::READ | Prot::WRITE | Prot::EXEC;
    assert_eq!(map("to-file", RDONLY, all, Private), Ok("/a/b/file of 5000".into()));
    assert_eq!(map("to-file", RDONLY, Prot::READ, Shared), Ok("/a/b/file of 5000".into()));
    assert_eq!(map("to-file", RDONLY, Prot::WRITE, Shared), Err(Errno::EACCES));
    assert_eq!(map("to-file", OpenFlags::PATH, Prot::READ, Private), Err(Errno::EBADF));
    assert_eq!(map("a", RDONLY, Prot::READ, Private), Err(Errno::ENODEV));
    assert_eq!(map("dev/null", OpenFlags::RDWR, Prot::READ, Private), Err(Errno::ENODEV));
    assert_eq!(map("dev/zero", OpenFlags::RDWR, Prot::WRITE, Shared), Ok("anonymous".into()));
    assert_eq!(map("dev/zero", OpenFlags::WRONLY, Prot::WRITE, Private), Err(Errno::EACCES));
}

/// A directory in which there is always one more directory. The count tells how many there are.
struct Endless(Arc<()>);

impl Inode for Endless {
    fn file_type(&self) -> FileType {
        FileType::Directory
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        Err(Errno::EIO)
    }

    fn lookup(&self, _name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        Ok(Arc::new(Endless(self.0.clone())))
    }
}

impl FileSystem for Endless {
    fn name(&self) -> &'static str {
        "endless"
    }

    fn root(&self) -> Result<Arc<dyn Inode>, Errno> {
        Ok(Arc::new(Endless(self.0.clone())))
    }

    fn statfs(&self) -> FsStat {
        FsStat { magic: 0, block_size: 4096, blocks: 0, blocks_free: 0, files: 0, files_free: 0 }
    }
}

#[test]
fn unused_dentries_are_bounded_and_those_in_use_stay() {
    let count = Arc::new(());
    let endless = Arc::new(Endless(count.clone()));
    let vfs = Vfs::new(endless, MountFlags::READ_ONLY, "x".into()).expect("vfs");
    let context = FsContext { root: vfs.root(), cred: &Cred::ROOT, umask: 0 };
    let find = |name: String| {
        let found = vfs.lookup(context, vfs.root(), name.as_bytes(), LastSymlink::Follow, EmptyPath::Refuse);
        found.expect("a directory")
    };
    let held = find("held".into());
    let popular = Arc::downgrade(&find("popular".into()).dentry);
    let unpopular = Arc::downgrade(&find("unpopular".into()).dentry);
    for n in 0..20_000 {
        find(format!("name-{n}"));
        if n % 100 == 0 {
            find("popular".into());
        }
    }
    assert!(Arc::strong_count(&count) < 5000, "{} inodes", Arc::strong_count(&count));
    assert!(popular.upgrade().is_some() && unpopular.upgrade().is_none());
    assert_eq!(held, find("held".into()));
    drop((held, vfs));
    assert_eq!(Arc::strong_count(&count), 1, "all inodes are gone");
}

#[test]
fn a_deep_tree_is_dropped_without_deep_recursion() {
    let walk = || {
        let endless = Arc::new(Endless(Arc::default()));
        let vfs = Vfs::new(endless, MountFlags::READ_ONLY, "x".into()).expect("vfs");
        let context = FsContext { root: vfs.root(), cred: &Cred::ROOT, umask: 0 };
        let mut place = vfs.root().clone();
        let path = "d/".repeat(2000);
        for _ in 0..50 {
            let next = vfs.lookup(context, &place, path.as_bytes(), LastSymlink::Follow, EmptyPath::Refuse);
            place = next.expect("further down");
        }
        assert_eq!(place.to_text(vfs.root()), Err(Errno::ENAMETOOLONG));
        drop(vfs);
        drop(place);
    };
    // A kernel's stack is no larger.
    let small_stack = std::thread::Builder::new().stack_size(64 << 10);
    small_stack.spawn(walk).expect("spawn").join().expect("no stack overflow");
}
