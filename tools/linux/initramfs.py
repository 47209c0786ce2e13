"""The first file system of a Linux that boots: an archive in cpio's `newc` format, written here so that neither cpio nor
root is needed."""

import os
import stat

from linux.packages import BUSYBOX_FILE, Kernel, read

INIT = "tools/linux/init.sh"
# Where file systems are mounted before the disk is the root.
FOLDERS = ("bin", "dev", "disk", "modules")


def make(kernel: Kernel) -> str:
    """Writes the archive for a kernel: busybox, the modules, and the script that starts it all."""
    entries = [(name, stat.S_IFDIR | 0o755, b"") for name in FOLDERS]
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, read(BUSYBOX_FILE)))
    entries.append(("init", stat.S_IFREG | 0o755, read(INIT)))
    for name in sorted(os.listdir(kernel.modules)):
        entries.append((f"modules/{name}", stat.S_IFREG | 0o644, read(f"{kernel.modules}/{name}")))
    path = os.path.join(os.path.dirname(kernel.image), "initramfs")
    with open(f"{path}.new", "wb") as file:
        for number, entry in enumerate(entries, start=1):
            file.write(header_and_content(number, *entry))
        file.write(header_and_content(0, "TRAILER!!!", 0, b""))
    os.replace(f"{path}.new", path)
    return path


def header_and_content(inode: int, name: str, mode: int, content: bytes) -> bytes:
    """One member. All numbers are of eight hexadecimal digits; header and content end at multiples of four."""
    uid = gid = mtime = device = check = 0
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, uid, gid, links, mtime, len(content))
    fields += (device, device, device, device, len(name) + 1, check)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return padded(header) + padded(content)


def padded(data: bytes) -> bytes:
    """Zeros up to a multiple of four."""
    return data + bytes(-len(data) % 4)
