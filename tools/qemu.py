"""QEMU as the tools use it: the machine's command line, and a console that a terminal, a pipe or a test can drive.

QEMU always talks to a pair of pipes of ours, never to the terminal: so the terminal is restored whatever happens to
QEMU, end of input becomes Ctrl-D, and the console's output can be read on its way through.
"""

import ctypes
import dataclasses
import os
import select
import shlex
import signal
import subprocess
import time
import urllib.parse

CTRL_A, CTRL_D = b"\x01", b"\x04"

# The kernel prints it when it starts init: from then on the UART loses no input.
READY = b"as init process"
# How long after the first output input is held back if that line does not come.
READY_SECONDS = 3.0

TIMED_OUT = 124


@dataclasses.dataclass
class Machine:
    """A machine of QEMU's virt family, ready to boot Granule."""

    kernel: str = "target/image/Image"
    disk: str | None = "target/image/root.erofs"
    cpu: str = "max"
    smp: str = "1"
    mem: str = "1G"
    board: str = "gic-version=3"
    command: str = ""
    append: str = ""
    page_size: str = "4K"
    size: tuple[int, int] | None = None
    extra: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls) -> "Machine":
        """The machine that the variables of make ask for; tools/options.sh has checked and exported them."""
        env = os.environ
        return cls(
            kernel=env["KERNEL"],
            disk=env["DISK"],
            cpu=env["CPU"],
            smp=env["SMP"],
            mem=env["MEM"],
            command=env["CMD"],
            append=env["APPEND"],
            page_size=env["PAGE_SIZE"],
            extra=tuple(shlex.split(env["QEMU_ARGS"])),
        )

    def arguments(self) -> list[str]:
        """The whole command line of QEMU."""
        # The default pointer authentication costs more than all the rest of a system call.
        cpu = "max,pauth-impdef=on" if self.cpu == "max" else self.cpu
        words = ["qemu-system-aarch64", "-M", f"virt,{self.board}", "-cpu", cpu, "-smp", self.smp, "-m", self.mem]
        words += ["-nic", "none", "-display", "none", "-monitor", "none", "-no-reboot", "-semihosting"]
        # With signal=on QEMU would let Ctrl-C kill it instead of passing it to the guest.
        words += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        if self.disk is not None:
            file = self.disk.replace(",", ",,")
            words += ["-drive", f"if=none,id=root,format=raw,readonly=on,file={file}"]
            words += ["-device", "virtio-blk-device,drive=root"]
        words += ["-kernel", self.kernel, "-append", self.kernel_command_line()]
        return words + list(self.extra)

    def kernel_command_line(self) -> str:
        """What the kernel reads, then `--` and the words for init."""
        words = ["semihosting=1"]
        # A terminal that does not know its size says 0.
        if self.size is not None and all(self.size):
            words += [f"console_cols={self.size[0]}", f"console_rows={self.size[1]}"]
        if self.page_size != "4K":
            words.append(f"page_size={self.page_size}")
        if self.append:
            words.append(self.append)
        if self.command:
            words += ["--", encode(self.command)]
        return " ".join(words)


def encode(text: str) -> str:
    """A text for init's shell as the kernel's command line can carry it, which knows spaces and nothing else: one word,
    in which every byte that is not plain is `%` and two hexadecimal digits. init decodes it."""
    return urllib.parse.quote(os.fsencode(text), safe="/=:,.+-_@~")


class Input:
    """Bytes on their way to the guest: held back until the kernel is ready, with Ctrl-D for the end of a file."""

    def __init__(self, source: int | None, held: bool):
        self.source = source
        self.held = held
        self.pending = b""
        self.last = b"\n"

    def take(self) -> None:
        """Reads what the source has. Called when it has something."""
        data = os.read(self.source, 4096)
        if not data:
            # In the middle of a line the first Ctrl-D only ends the line.
            data = CTRL_D if self.last == b"\n" else CTRL_D + CTRL_D
            self.source = None
        self.last = data[-1:]
        self.pending += data

    def wanted(self) -> bool:
        """Whether there is room for more."""
        return self.source is not None and len(self.pending) < 65536

    def give(self, descriptor: int) -> None:
        """Hands the guest what it takes now."""
        try:
            self.pending = self.pending[os.write(descriptor, self.pending) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.pending = b""


class Quit(Exception):
    """The person at the terminal typed Ctrl-A x."""


class Keyboard(Input):
    """Input from a terminal in raw mode. Ctrl-A x ends QEMU, Ctrl-A Ctrl-A is one Ctrl-A, as with QEMU's own."""

    def __init__(self, source: int):
        super().__init__(source, held=False)
        self.escaped = False

    def take(self) -> None:
        """Reads keys; raises Quit."""
        for key in os.read(self.source, 4096):
            if self.escaped and key == ord("x"):
                raise Quit
            if key == CTRL_A[0] and not self.escaped:
                self.escaped = True
                continue
            self.escaped = False
            self.pending += bytes([key])


class Console:
    """A running QEMU with its console in our hands."""

    def __init__(self, arguments: list[str]):
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=die_with_parent
        )
        os.set_blocking(self.process.stdin.fileno(), False)

    def kill(self) -> None:
        """Ends QEMU if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def status(self) -> int:
        """The status that QEMU ended with, a signal being 128 and its number, as in a shell."""
        code = self.process.wait()
        return code if code >= 0 else 128 - code

    def relay(self, source: Input, write_output, timeout: float = 0) -> int:
        """Carries bytes both ways until QEMU ends, and returns its status. `write_output` is called with each piece
        of what the guest prints."""
        out, into = self.process.stdout.fileno(), self.process.stdin.fileno()
        deadline = time.monotonic() + timeout if timeout else None
        seen, held_until = b"", None
        try:
            while deadline is None or time.monotonic() < deadline:
                reads = [out] + ([source.source] if source.wanted() else [])
                writes = [into] if source.pending and not source.held else []
                readable, writable, _ = select.select(reads, writes, [], 0.2)
                if writable:
                    source.give(into)
                if source.source in readable:
                    source.take()
                if out in readable:
                    data = os.read(out, 65536)
                    if not data:
                        return self.status()
                    write_output(data)
                    if source.held:
                        seen += data
                        held_until = held_until or time.monotonic() + READY_SECONDS
                        source.held = READY not in seen
                if source.held and held_until and time.monotonic() > held_until:
                    source.held = False
            return TIMED_OUT
        finally:
            self.kill()


def die_with_parent() -> None:
    """Runs in the child: QEMU must not outlive a runner that was killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
