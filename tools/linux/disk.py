"""The disk of `make run` with Debian's busybox on it, and the script that it is to run."""

import os
import shutil

from linux.packages import BUSYBOX_FILE, PLACE
from suite.stage import Log

IMAGE = f"{PLACE}/root.erofs"
OVERLAY = f"{PLACE}/overlay"
PROGRAMS = "target/aarch64-unknown-linux-musl/release"
# The script, in parts; and the users that it knows.
SCRIPTS = "user/tests/busybox"
USERS = ("passwd", "group")
MAKE_SECONDS = 60.0

# Through its own name, as the script is on the disk without a right to execute it.
COMMAND = "/bin/busybox ash /tests/busybox/run.sh"


def make(log: Log) -> bool:
    """Makes the image, from programs that are built and a busybox that was fetched; whether that worked. The caller
    holds the lock of the images."""
    shutil.rmtree(OVERLAY, ignore_errors=True)
    for folder in ("bin", "etc", "tests/busybox"):
        os.makedirs(f"{OVERLAY}/{folder}")
    shutil.copy(BUSYBOX_FILE, f"{OVERLAY}/bin/busybox")
    for entry in os.scandir(SCRIPTS):
        shutil.copyfile(entry.path, f"{OVERLAY}/{'etc' if entry.name in USERS else 'tests/busybox'}/{entry.name}")
    return log.run(f"target/release/mkdisk {PROGRAMS} {IMAGE} {OVERLAY}", MAKE_SECONDS)[0] == 0
