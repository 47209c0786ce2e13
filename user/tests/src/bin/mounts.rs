//! Mounting a tmpfs, its limits, unmounting it.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_mount, __NR_umount2, MS_RDONLY, O_CREAT, O_RDWR};
use tests::files::{create, ftruncate, lstat, mkdir, pwrite, rmdir, unlink};
use tests::{Outcome, call, close, equal, fails, good};

tests::program!(run);

const AT: &core::ffi::CStr = c"/tmp/mounts";

fn mount(kind: &core::ffi::CStr, flags: u32, options: &core::ffi::CStr) -> rt::sys::Result {
    let text = |text: &core::ffi::CStr| text.as_ptr() as usize;
    call(__NR_mount, [text(c"none"), text(AT), text(kind), flags as usize, text(options)])
}

fn umount() -> rt::sys::Result {
    call(__NR_umount2, [AT.as_ptr() as usize, 0])
}

fn run(_: rt::Args) -> Outcome {
    good!(mkdir(AT, 0o700));
    fails!(mount(c"nosuchfs", 0, c""), ENODEV);
    fails!(umount(), EINVAL);
    fails!(mount(c"tmpfs", 0, c"size=x"), EINVAL);
    good!(mount(c"tmpfs", 0, c"size=64k,mode=750"));
    equal!(good!(lstat(AT)).mode, 0o040_750);
    fails!(rmdir(AT), EBUSY);
    fills()?;
    let fd = good!(create(c"/tmp/mounts/open", O_CREAT | O_RDWR, 0o600));
    fails!(umount(), EBUSY);
    good!(close(fd));
    good!(umount());
    fails!(lstat(c"/tmp/mounts/open"), ENOENT);
    equal!(good!(lstat(AT)).mode, 0o040_700);
    good!(mount(c"tmpfs", MS_RDONLY, c""));
    fails!(create(c"/tmp/mounts/x", O_CREAT | O_RDWR, 0o600), EROFS);
    good!(umount());
    good!(rmdir(AT));
    Ok(())
}

/// A full file system says so, and goes on when there is room again.
fn fills() -> Outcome {
    let path = c"/tmp/mounts/file";
    let fd = good!(create(path, O_CREAT | O_RDWR, 0o600));
    let block = [5; 4096];
    for n in 0..16 {
        equal!(pwrite(fd, &block, n * 4096), Ok(4096));
    }
    fails!(pwrite(fd, &block, 16 * 4096), ENOSPC);
    equal!(pwrite(fd, &[6; 8192], 15 * 4096), Ok(4096));
    good!(ftruncate(fd, 4096));
    equal!(pwrite(fd, &block, 1 << 20), Ok(4096));
    good!(unlink(path));
    good!(close(fd));
    let fd = good!(create(path, O_CREAT | O_RDWR, 0o600));
    equal!(pwrite(fd, &[7; 4096 * 16], 0), Ok(4096 * 16));
    good!(close(fd));
    good!(unlink(path));
    Ok(())
}
