"""Linux in the machine that Granule runs on."""

import dataclasses

import qemu
from linux import initramfs
from linux.packages import Kernel


@dataclasses.dataclass
class LinuxMachine(qemu.Machine):
    """The same QEMU with the same arguments, but for what Linux needs to start."""

    @classmethod
    def of(cls, kernel: Kernel, disk: str, command: str) -> "LinuxMachine":
        """Boots a kernel with its initramfs, then our init from the disk with a command for its shell."""
        return cls(kernel=kernel.image, disk=disk, command=command, extra=("-initrd", initramfs.make(kernel)))

    def kernel_command_line(self) -> str:
        """What Linux reads, then `--` and the words for init. Only errors of the kernel are shown."""
        words = ["console=ttyAMA0", "panic=-1", "quiet", "loglevel=4"]
        return " ".join([*words, self.append, "--", qemu.encode(self.command)])
