//! getdents64: a long directory in small and large bites, and its entries.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::raw::{__NR_getdents64, __NR_lseek, O_RDONLY, SEEK_SET};
use tests::{Errno, Outcome, call, check, close, equal, fails, good, open};

tests::program!(run);

const FILES: usize = 1000;
const DT_DIR: u8 = 4;
const DT_REG: u8 = 8;
const DT_LNK: u8 = 10;

/// One entry as the kernel writes it.
struct Entry<'a> {
    inode: u64,
    next: u64,
    kind: u8,
    name: &'a [u8],
}

/// Calls `each` with the entries of one call's result.
fn parse(mut bytes: &[u8], mut each: impl FnMut(Entry<'_>) -> Outcome) -> Outcome {
    while !bytes.is_empty() {
        let (Some(inode), Some(next), Some(&[a, b, kind])) =
            (bytes.first_chunk(), bytes[8..].first_chunk(), bytes[16..].first_chunk())
        else {
            return Err(tests::Failure::new(line!(), format_args!("an entry is cut")));
        };
        let len = usize::from(u16::from_le_bytes([a, b]));
        check!(len.is_multiple_of(8) && len >= 24 && len <= bytes.len(), "an entry of {len} bytes");
        let name = CStr::from_bytes_until_nul(&bytes[19..len]);
        let Ok(name) = name else {
            return Err(tests::Failure::new(line!(), format_args!("a name without an end")));
        };
        each(Entry {
            inode: u64::from_le_bytes(*inode),
            next: u64::from_le_bytes(*next),
            kind,
            name: name.to_bytes(),
        })?;
        bytes = &bytes[len..];
    }
    Ok(())
}

fn getdents(fd: usize, buffer: &mut [u8]) -> rt::sys::Result {
    call(__NR_getdents64, [fd, buffer.as_mut_ptr() as usize, buffer.len()])
}

fn run(_: rt::Args) -> Outcome {
    for size in [280, 500, 4096, 32768] {
        long_directory(size)?;
    }
    kinds()?;
    positions()?;

    let mut buffer = [0; 4096];
    let directory = good!(open(c"/tests/data/long", O_RDONLY));
    fails!(getdents(directory, &mut buffer[..16]), EINVAL);
    fails!(getdents(directory, &mut []), EINVAL);
    let file = good!(open(c"/etc/motd", O_RDONLY));
    fails!(getdents(file, &mut buffer), ENOTDIR);
    fails!(getdents(999, &mut buffer), EBADF);
    Ok(())
}

/// Every file exactly once, whatever the size of the buffer.
fn long_directory(size: usize) -> Outcome {
    let mut buffer = [0; 32768];
    let mut seen = [false; FILES];
    let (mut dots, mut longest, mut calls) = (0, 0, 0);
    let fd = good!(open(c"/tests/data/long", O_RDONLY));
    loop {
        let len = good!(getdents(fd, &mut buffer[..size]));
        if len == 0 {
            break;
        }
        calls += 1;
        parse(&buffer[..len], |entry| {
            match entry.name {
                b"." | b".." => dots += 1,
                name if name.len() > 200 => longest += 1,
                name => {
                    let number = name.strip_prefix(b"entry-").and_then(|digits| str::from_utf8(digits).ok());
                    let number: Option<usize> = number.and_then(|digits| digits.parse().ok());
                    let slot = number.and_then(|number| seen.get_mut(number));
                    check!(slot.as_ref().is_some_and(|seen| !**seen), "{}", rt::io::Text(name));
                    slot.into_iter().for_each(|seen| *seen = true);
                    equal!(entry.kind, DT_REG);
                }
            }
            check!(entry.inode != 0);
            Ok(())
        })?;
    }
    equal!(getdents(fd, &mut buffer[..size]), Ok(0));
    good!(close(fd));
    check!(
        seen.iter().all(|&seen| seen),
        "with {size} bytes {} are missing",
        seen.iter().filter(|s| !**s).count()
    );
    equal!((dots, longest), (2, 1));
    check!(calls > 1 || size > FILES * 24);
    Ok(())
}

fn kinds() -> Outcome {
    let mut buffer = [0; 8192];
    let fd = good!(open(c"/tests/data", O_RDONLY));
    let mut found = 0;
    loop {
        let len = good!(getdents(fd, &mut buffer));
        if len == 0 {
            break;
        }
        parse(&buffer[..len], |entry| {
            let kind = match entry.name {
                b"pattern" | b"small" | b"empty" => DT_REG,
                b"long" | b"chain" | b"." | b".." => DT_DIR,
                b"to-small" | b"dangling" | b"loop-a" => DT_LNK,
                _ => return Ok(()),
            };
            found += 1;
            check!(entry.kind == kind, "{} is of kind {}", rt::io::Text(entry.name), entry.kind);
            if entry.name == b"pattern" {
                let fd = good!(open(tests::pattern::PATH, O_RDONLY));
                let stat = rt::rustix::fs::fstat(rt::io::fd(fd as i32)).map_err(rt::sys::errno);
                equal!(good!(stat).st_ino, entry.inode);
                good!(close(fd));
            }
            Ok(())
        })?;
    }
    equal!(found, 10);
    good!(close(fd));
    Ok(())
}

/// The position that an entry gives leads to the entry after it.
fn positions() -> Outcome {
    let mut buffer = [0; 1024];
    let fd = good!(open(c"/tests/data/long", O_RDONLY));
    let len = good!(getdents(fd, &mut buffer));
    let (mut positions, mut inodes, mut count) = ([0; 40], [0; 40], 0);
    parse(&buffer[..len], |entry| {
        if count < positions.len() {
            (positions[count], inodes[count]) = (entry.next, entry.inode);
            count += 1;
        }
        Ok(())
    })?;
    check!(count > 5);
    for index in (0..count - 1).rev() {
        equal!(
            call(__NR_lseek, [fd, positions[index] as usize, SEEK_SET as usize]),
            Ok(positions[index] as usize)
        );
        let len = good!(getdents(fd, &mut buffer));
        let mut first = None;
        parse(&buffer[..len], |entry| {
            first.get_or_insert(entry.inode);
            Ok(())
        })?;
        equal!(first, Some(inodes[index + 1]));
    }
    equal!(call(__NR_lseek, [fd, 0, SEEK_SET as usize]), Ok(0));
    equal!(getdents(fd, &mut buffer), Ok(len));
    good!(close(fd));
    match open(c"/tests/data/long/nothing", O_RDONLY) {
        Err(Errno::ENOENT) => Ok(()),
        other => Err(tests::Failure::new(line!(), format_args!("{other:?}"))),
    }
}
