//! Images made by `mkfs.erofs` read back equal to the tree that they were made of, in each layout.

mod common;

use abi::Errno;
use common::*;
use fs::erofs::{Erofs, MountError};
use fs::kstat::{Dev, FileType, Timespec};
use mm::filemap::IomapKind;
use std::sync::Arc;

fn round_trip(name: &str, options: &[&str]) {
    let tree = scratch(name).join("tree");
    std::fs::create_dir(&tree).expect("mkdir");
    make_tree(&tree);
    let (fs, disk) = mount(mkfs(&tree, options));
    assert_same(&tree, &root(&fs), &disk);
}

#[test]
fn plain_files() {
    round_trip("plain", &["-Enoinline_data"]);
}

#[test]
fn inline_files() {
    round_trip("inline", &[]);
}

#[test]
fn extended_inodes() {
    round_trip("extended", &["-Eforce-inode-extended"]);
}

#[test]
fn chunk_based_files_with_block_addresses() {
    round_trip("blockmap", &["--chunksize=4096", "-Eforce-inode-blockmap"]);
}

#[test]
fn chunk_based_files_with_indexes() {
    round_trip("indexes", &["--chunksize=4096", "-Eforce-chunk-indexes"]);
}

#[test]
fn large_chunks() {
    round_trip("large-chunks", &["--chunksize=65536"]);
}

#[test]
fn long_directory() {
    let tree = scratch("long").join("tree");
    make_long_directory(&tree.join("long"), 5000);
    let (fs, disk) = mount(mkfs(&tree, &["-Enoinline_data"]));
    assert_same(&tree, &root(&fs), &disk);

    let long = root(&fs).lookup(b"long").expect("lookup");
    for absent in [&b"entry-"[..], b"entry-5000", b"entry-00", b"\x01", b"zzz", b"entry-4999\xff"] {
        assert_eq!(long.lookup(absent).err(), Some(Errno::ENOENT), "{absent:?}");
    }
    // Binary search: about log2 of some 30 blocks, one read each, and the inode.
    let before = disk.reads();
    long.lookup(b"entry-2500").expect("lookup");
    assert!(disk.reads() - before < 12, "{} reads", disk.reads() - before);
}

#[test]
fn any_directory_cookie_is_harmless() {
    let tree = scratch("cookie").join("tree");
    make_long_directory(&tree, 1000);
    let (fs, _) = mount(mkfs(&tree, &[]));
    let dir = root(&fs);
    for pos in (0..40_000).step_by(5).chain([u64::MAX, i64::MAX as u64, 1 << 40]) {
        let mut last = pos;
        dir.readdir(pos, &mut |entry| {
            assert!(entry.next > last || last == pos && entry.next >= pos);
            last = entry.next;
            std::ops::ControlFlow::Continue(())
        })
        .expect("readdir");
    }
}

#[test]
fn two_names_are_one_inode() {
    let tree = scratch("links").join("tree");
    std::fs::create_dir(&tree).expect("mkdir");
    make_tree(&tree);
    let (fs, _) = mount(mkfs(&tree, &[]));
    let (a, b) = (root(&fs).lookup(b"file-4097").expect("a"), root(&fs).lookup(b"hard-link").expect("b"));
    assert!(Arc::ptr_eq(&a, &b));
    assert_eq!(a.stat().expect("stat").nlink, 2);
}

#[test]
fn a_plain_file_is_one_aligned_run_and_neighbouring_chunks_join() {
    let tree = scratch("runs").join("tree");
    std::fs::create_dir(&tree).expect("mkdir");
    std::fs::write(tree.join("big"), pattern(3, 1 << 20)).expect("write");
    let (fs, _) = mount(mkfs(&tree, &["-Enoinline_data"]));
    let run = root(&fs).lookup(b"big").expect("lookup").data().expect("data").iomap(0).expect("iomap");
    assert_eq!((run.pos, run.len), (0, 1 << 20));
    assert!(matches!(run.kind, IomapKind::Mapped { addr } if addr % 4096 == 0));

    let (fs, _) = mount(mkfs(&tree, &["--chunksize=4096", "-Eforce-inode-blockmap"]));
    let run = root(&fs).lookup(b"big").expect("lookup").data().expect("data").iomap(0).expect("iomap");
    assert_eq!((run.pos, run.len), (0, 128 * 4096));
}

#[test]
fn modification_times() {
    let tree = scratch("mtime").join("tree");
    std::fs::create_dir(&tree).expect("mkdir");
    std::fs::write(tree.join("f"), "f").expect("write");
    let options = ["-T1234567890", "-Eforce-inode-compact"];
    let (fs, _) = mount(mkfs(&tree, &options));
    let stat = root(&fs).lookup(b"f").expect("lookup").stat().expect("stat");
    assert_eq!(stat.mtime, Timespec { sec: 1_234_567_890, nsec: 0 });
    assert_eq!((stat.blksize, stat.blocks), (4096, 8));
}

#[test]
fn special_files() {
    let tree = scratch("special").join("tree");
    std::fs::create_dir(&tree).expect("mkdir");
    let mkfifo = std::process::Command::new("mkfifo").arg(tree.join("fifo")).status().expect("mkfifo");
    assert!(mkfifo.success());
    let _socket = std::os::unix::net::UnixListener::bind(tree.join("socket")).expect("bind");
    // Making device nodes takes root rights; without them that part is left out.
    let node = std::process::Command::new("mknod").arg(tree.join("node")).args(["c", "5", "1"]).output();
    let node = node.is_ok_and(|output| output.status.success());
    let (fs, _) = mount(mkfs(&tree, &[]));
    let fifo = root(&fs).lookup(b"fifo").expect("fifo");
    assert_eq!(fifo.file_type(), FileType::Fifo);
    assert_eq!(fifo.stat().expect("stat").rdev, Dev::default());
    assert!(fifo.data().is_none());
    assert_eq!(root(&fs).lookup(b"socket").expect("socket").file_type(), FileType::Socket);
    if node {
        let node = root(&fs).lookup(b"node").expect("node");
        assert_eq!(node.file_type(), FileType::CharDevice);
        assert_eq!(node.stat().expect("stat").rdev, Dev::new(5, 1));
    }
}

fn mount_error(image: Vec<u8>) -> MountError {
    Erofs::mount(MemoryDisk::new(image), DISK).err().expect("a refusal")
}

#[test]
fn refusals_say_why() {
    let tree = scratch("refusals").join("tree");
    std::fs::create_dir(&tree).expect("mkdir");
    std::fs::write(tree.join("f"), pattern(1, 20_000)).expect("write");
    let image = mkfs(&tree, &[]);
    let with = |offset: usize, bytes: &[u8]| {
        let mut image = image.clone();
        image[1024 + offset..][..bytes.len()].copy_from_slice(bytes);
        // Without the checksum feature, so that the changed field itself is what is refused.
        if offset > 8 {
            image[1024 + 8] &= !1;
        }
        mount_error(image)
    };
    assert_eq!(mount_error(Vec::new()), MountError::BadMagic(0));
    assert_eq!(mount_error(vec![0; 65_536]), MountError::BadMagic(0));
    assert_eq!(with(0, b"ext4").to_string(), "erofs: not an EROFS image (magic 0x34747865)");
    assert_eq!(with(4, &[0]), MountError::Checksum);
    assert_eq!(mount_error(image[..image.len() - 4096].to_vec()).errno(), Errno::EUCLEAN);

    std::fs::write(tree.join("f"), vec![b'x'; 100_000]).expect("write");
    let (fs, _) = mount(mkfs(&tree, &["-zlz4"]));
    assert_eq!(root(&fs).lookup(b"f").err(), Some(Errno::EOPNOTSUPP));
    let features = with(80, &[0x10]);
    assert_eq!(features.to_string(), "erofs: unsupported features 0x10 (compression or several devices)");
    assert_eq!(with(12, &[20]), MountError::BlockSize(20));
    assert_eq!(with(40, &[0xff; 4]).errno(), Errno::EUCLEAN);
}
