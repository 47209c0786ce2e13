"""Debian's arm64 packages: found and verified by a private apt, unpacked below target/linux.

apt runs with its own state and for its own architecture, so it needs no root and changes nothing of the machine.
Versions move: what is current at the first run is taken and kept until `make clean`.
"""

import dataclasses
import io
import lzma
import os
import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Iterable

from linux import sources
from suite.stage import Log

# The oldest release that has kernels of both page sizes.
SUITE = "trixie"
# By page size. The packages of these names depend on the current kernel's.
KERNELS = {"4K": "linux-image-arm64", "16K": "linux-image-arm64-16k"}
# What a package is for names its folder.
BUSYBOX = "busybox"
PACKAGES = KERNELS | {BUSYBOX: "busybox-static"}
# The programs of the disk are reached through these, which are no part of the kernel's image.
# crc32c_generic is what erofs asks the kernel for by the name of what it computes.
MODULES = ("virtio_mmio", "virtio_blk", "crc32c_generic", "erofs")

PLACE = "target/linux"
# Read after the machine's own configuration.
OPTIONS = f"-q -c {shlex.quote(os.path.abspath(PLACE))}/apt/apt.conf"
BUSYBOX_FILE = f"{PLACE}/{BUSYBOX}/busybox"

UPDATE_SECONDS = 120.0
DOWNLOAD_SECONDS = 600.0


class Unavailable(Exception):
    """The packages cannot be had; the text is for the person who waits."""


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel that was unpacked."""

    size: str

    @property
    def image(self) -> str:
        """What QEMU boots."""
        return f"{PLACE}/{self.size}/vmlinuz"

    @property
    def modules(self) -> str:
        """A folder of modules; loaded in the order of their names each finds what it needs."""
        return f"{PLACE}/{self.size}/modules"


def fetch(log: Log, purposes: Iterable[str]) -> list[str]:
    """Has these of `PACKAGES` unpacked, and returns a line for each. Raises `Unavailable`."""
    missing = [purpose for purpose in purposes if not os.path.exists(version_file(purpose))]
    if missing:
        download = f"{PLACE}/download"
        shutil.rmtree(download, ignore_errors=True)
        os.makedirs(download)
        names = resolve(log, missing)
        apt(log, f"cd {download} && apt-get {OPTIONS} download {' '.join(names.values())}", DOWNLOAD_SECONDS)
        for purpose, name in names.items():
            unpack(download, purpose, name)
        shutil.rmtree(download)
    return [read(version_file(purpose)).decode().strip() for purpose in purposes]


def version_file(purpose: str) -> str:
    """Names the package that was unpacked, and says that all of it was."""
    return f"{PLACE}/{purpose}/version"


def resolve(log: Log, purposes: Iterable[str]) -> dict[str, str]:
    """The names of the packages: a kernel's has its version in it."""
    if not shutil.which("apt-get"):
        raise Unavailable("this machine has no apt to fetch Debian's packages with")
    text = sources.of_suite(SUITE)
    if not text:
        raise Unavailable("apt has no source of Debian's packages")
    configure(text)
    # A source that has no such suite is no reason to stop: what is missing in the end says so itself.
    log.run(f"apt-get {OPTIONS} update", UPDATE_SECONDS)
    names = {}
    for purpose in purposes:
        names[purpose] = name = PACKAGES[purpose]
        if purpose in KERNELS:
            shown = apt(log, f"apt-cache {OPTIONS} show --no-all-versions {name}", UPDATE_SECONDS)
            found = re.search(r"^Depends:.*?\b(linux-image-[^\s,]+)", shown, re.MULTILINE)
            if not found:
                raise Unavailable(f"the package {name} names no kernel")
            names[purpose] = found[1]
    return names


def configure(text: str) -> None:
    """Writes the private configuration. What it does not set (a proxy, say) stays as the machine has it."""
    root = os.path.abspath(f"{PLACE}/apt")
    for folder in ("sources", "state/lists/partial", "cache/archives/partial"):
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    open(f"{root}/status", "w").close()
    with open(f"{root}/sources/debian.sources", "w") as file:
        file.write(text)
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        # Whoever runs us has the right to write there; a user of apt's own may not.
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::State": f"{root}/state",
        "Dir::State::status": f"{root}/status",
        "Dir::Cache": f"{root}/cache",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": f"{root}/sources",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
    }
    with open(f"{root}/apt.conf", "w") as file:
        for name, value in settings.items():
            file.write(f'{name} "{value}";\n')
        # What the machine wants done after an update is about its own packages.
        file.write("#clear APT::Update;\n")


def apt(log: Log, command: str, timeout: float) -> str:
    """A command of apt's that must succeed; returns what it printed."""
    status, output = log.run(command, timeout)
    if status != 0:
        errors = re.findall(r"^E: (.*)", output, re.MULTILINE)
        raise Unavailable(errors[0] if errors else f"status {status} of {command}")
    return output


def unpack(folder: str, purpose: str, name: str) -> None:
    """Takes what is needed out of one package, and notes its name and version."""
    (file,) = (entry.path for entry in os.scandir(folder) if entry.name.startswith(f"{name}_"))
    shutil.rmtree(f"{PLACE}/{purpose}", ignore_errors=True)
    os.makedirs(f"{PLACE}/{purpose}")
    if purpose == BUSYBOX:
        program = read_files(file, re.compile(r"\./(usr/)?bin/busybox"))
        write(BUSYBOX_FILE, *program.values())
        os.chmod(BUSYBOX_FILE, 0o755)
    else:
        unpack_kernel(file, Kernel(purpose))
    version = subprocess.run(["dpkg-deb", "-f", file, "Version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    write(version_file(purpose), f"{name} {version.strip()}\n".encode())


def unpack_kernel(file: str, kernel: Kernel) -> None:
    """The kernel's image and the modules of `MODULES` with what these depend on."""
    os.makedirs(kernel.modules)
    files = read_files(file, re.compile(r"\./boot/vmlinuz-.*|.*\.ko(\.xz)?"))
    modules = {}
    for path, content in files.items():
        if path.startswith("./boot/"):
            write(kernel.image, content)
        else:
            modules[module_name(path)] = path
    order: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in order or name not in modules:
            return
        path = modules[name]
        content = lzma.decompress(files[path]) if path.endswith(".xz") else files[path]
        found = re.search(rb"\0depends=([^\0]*)\0", content)
        for needed in filter(None, found[1].decode().split(",") if found else []):
            add(needed.replace("-", "_"))
        order[name] = content

    for name in MODULES:
        add(name)
    for number, (name, content) in enumerate(order.items()):
        write(f"{kernel.modules}/{number:02}-{name}.ko", content)


def module_name(path: str) -> str:
    """The name that other modules know it by."""
    return os.path.basename(path).split(".")[0].replace("-", "_")


def read_files(package: str, wanted: re.Pattern[str]) -> dict[str, bytes]:
    """The regular files of a package whose whole path matches."""
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = (member for member in tar if member.isfile() and wanted.fullmatch(member.name))
        return {member.name: tar.extractfile(member).read() for member in members}


def read(path: str) -> bytes:
    """A whole file."""
    with open(path, "rb") as file:
        return file.read()


def write(path: str, content: bytes) -> None:
    """Writes a whole file."""
    with open(path, "wb") as file:
        file.write(content)
