"""The stages that boot the kernel: the whole suite of the guest on two CPUs, a smoke run on everything else, and what
must happen when something is wrong."""

import dataclasses
import os
import re
import threading
from collections.abc import Callable

from qemu import TIMED_OUT, Console, Input, Machine
from suite.stage import Log, Result, Stage

SUITE_SECONDS = 240.0
SMOKE_SECONDS = 60.0
PANIC_STATUS = 101

# Runs every test program of the disk and prints `ok`, `not ok` and `skip` lines, then its verdict.
SUITE = "/tests/run"
# The same, and then what there is to say of native tables: an operation that one could not express is a defect.
SUITE_AND_COUNTERS = f"{SUITE}; status=$?; cat /proc/vmstat; exit $status"
NO_DEFECT = r"^native_fallback_untranslatable 0$"
# 100,000 switches between processes of three sizes, while the timer takes the CPU away every millisecond.
THREE_SIZES = "/tests/three_sizes 33334"
# A program that fits 16K pages asked to have 64K, and what the log says of it and of an unaligned call.
MISFIT = "pagesize 64K /tests/data/sizes/16K-not-congruent; [ $? = 4 ] && echo 1 >/proc/sys/vm/page_size_trace && "
MISFIT += "pagesize 64K /tests/munmap && hello"
MISFIT_SAYS = (
    r"exec /tests/data/sizes/16K-not-congruent: asked for 64K pages, given 16K: segment 1 is not aligned",
    r"munmap\[\d+\]: munmap: 0x[0-9a-f]+ is not on a boundary of 64K$",
)
# The smallest program that shows that init, the disk and the console work, and what it must print.
SMOKE, SMOKE_SAYS = "hello", "hello"

CPU_A72 = Machine(cpu="cortex-a72")
# The checks inside the kernel; and what it prints when it ends: names along the stack, the cause, the registers.
SELFTEST_SAYS = r"selftest: \d+ passed, 0 failed$"
# The optimiser may put start_init into the closure that calls it, which has its name too.
BACKTRACE = (r"backtrace:$", r"  [0-9a-f]{16} .*granule::start_init\b.*\+0x", r"  [0-9a-f]{16} granule::task::kthread::run\+0x")
REPORT = (r"ESR 0x[0-9a-f]{8}, FAR 0x[0-9a-f]{16}$", r"pc  [0-9a-f]{16} ", r"x29 [0-9a-f]{16}", *BACKTRACE)
OOM_SAYS = r"Out of memory: Killed process \d+ \(out_of_memory\) total-vm:\d+kB, anon-rss:\d+kB, "
SELFTEST_SAYS_DISK = r"selftest: ok disk: "
MODERN_MMIO = ("-global", "virtio-mmio.force-legacy=false")
# A disk of which the kernel's self-test knows every word; what it writes is thrown away.
PATTERN = "target/image/pattern.img"
PATTERN_DISK = ("-drive", f"if=none,id=pattern,format=raw,snapshot=on,file={PATTERN}")
PATTERN_DISK += ("-device", "virtio-blk-device,drive=pattern")


def boot(log: Log, machine: Machine, timeout: float) -> tuple[int, str]:
    """Boots, with no input; returns QEMU's status and the console's output."""
    arguments = machine.arguments()
    log.command = " ".join(arguments)
    log.write(f"$ {log.command}\n".encode())
    pieces: list[bytes] = []

    def output(data: bytes) -> None:
        pieces.append(data)
        log.write(data)

    with open("/dev/null", "rb") as nothing:
        status = Console(arguments).relay(Input(nothing.fileno(), held=True), output, timeout)
    text = b"".join(pieces).decode(errors="replace").replace("\r", "")
    if status == TIMED_OUT:
        log.write(f"\nended after {timeout:.0f} seconds\n".encode())
    return status, text


def suite(machine: Machine) -> Callable[[Log], Result]:
    """The guest's whole suite in one boot."""

    def body(log: Log) -> Result:
        status, output = boot(log, dataclasses.replace(machine, command=SUITE), SUITE_SECONDS)
        return Result.of_verdict(output, status)

    return body


def sized(machine: Machine) -> Callable[[Log], Result]:
    """The guest's whole suite with pages of another size, and no defect counted."""

    def body(log: Log) -> Result:
        status, output = boot(log, dataclasses.replace(machine, command=SUITE_AND_COUNTERS), SUITE_SECONDS)
        result = Result.of_verdict(output, status)
        if not re.search(NO_DEFECT, output, re.MULTILINE):
            result.failed += 1
            result.notes.append("native_fallback_untranslatable is not 0")
        return result

    return body


def logged(machine: Machine, command: str, *wanted: str, seconds: float = SMOKE_SECONDS) -> Callable[[Log], Result]:
    """A command that succeeds, and what the console shows of it."""

    def body(log: Log) -> Result:
        status, output = boot(log, dataclasses.replace(machine, command=command), seconds)
        return Result.of(problem(status, 0, output, wanted))

    return body


def smoke(machine: Machine, *wanted: str) -> Callable[[Log], Result]:
    """One small program, and patterns that the console must show besides."""

    def body(log: Log) -> Result:
        status, output = boot(log, dataclasses.replace(machine, command=SMOKE), SMOKE_SECONDS)
        return Result.of(problem(status, 0, output, (SMOKE_SAYS, r"^exit status 0\n\Z", *wanted)))

    return body


def answers(machine: Machine, command: str, *wanted: str) -> Callable[[Log], Result]:
    """A command that goes to the limits of the machine; the shell that ran it answers afterwards."""

    def body(log: Log) -> Result:
        status, output = boot(log, dataclasses.replace(machine, command=f"{command}; echo the shell answers"), SMOKE_SECONDS)
        return Result.of(problem(status, 0, output, (r"^the shell answers$", r"^exit status 0\n\Z", *wanted)))

    return body


def disk(machine: Machine) -> Callable[[Log], Result]:
    """The kernel's self-test with a disk for its block layer."""
    machine = dataclasses.replace(machine, append="selftest=1", extra=machine.extra + PATTERN_DISK)

    def body(log: Log) -> Result:
        # Stages run side by side: each makes the file for itself and moves it into place.
        own = f"{PATTERN}.{os.getpid()}.{threading.get_ident()}"
        status, _ = log.run(f"tools/pattern-disk {own}", SMOKE_SECONDS)
        if status != 0:
            return Result.of("the disk cannot be made")
        os.replace(own, PATTERN)
        return smoke(machine, SELFTEST_SAYS, SELFTEST_SAYS_DISK)(log)

    return body


def dies(machine: Machine, *wanted: str) -> Callable[[Log], Result]:
    """The kernel gives up with the panic status and says why."""

    def body(log: Log) -> Result:
        status, output = boot(log, machine, SMOKE_SECONDS)
        return Result.of(problem(status, PANIC_STATUS, output, wanted))

    return body


def debugger(log: Log) -> Result:
    """gdb stops in the kernel's first function of the high half and knows where it is."""
    status, output = log.run(
        "tools/gdb/session -ex 'tbreak kernel_main' -ex continue -ex 'backtrace 1' -ex 'info symbol $pc' -ex detach",
        SMOKE_SECONDS,
    )
    return Result.of(problem(status, 0, output, (r"^Temporary breakpoint 1, ", r"^kernel_main.* in section \.text")))


def problem(status: int, wanted_status: int, output: str, patterns: tuple[str, ...]) -> str | None:
    """What is wrong with the end of a run, in one line."""
    if status == TIMED_OUT and wanted_status != TIMED_OUT:
        return "it did not end in time"
    if warning := re.search(r"WARNING at .*", output):
        return warning[0]
    if status != wanted_status:
        return f"status {status} instead of {wanted_status}"
    for pattern in patterns:
        if not re.search(pattern, output, re.MULTILINE):
            return f"the console does not show {pattern!r}"
    return None


# The long ones first: they run beside the short ones.
STAGES = [
    Stage("suite-max", suite(Machine())),
    Stage("suite-a72", suite(CPU_A72)),
    Stage("suite-16K", sized(Machine(page_size="16K"))),
    Stage("suite-64K", sized(Machine(page_size="64K"))),
    Stage("suite-64K-lazy", sized(Machine(page_size="64K", append="native_table=lazy"))),
    Stage("suite-16K-a72", sized(dataclasses.replace(CPU_A72, page_size="16K"))),
    Stage("three-sizes", logged(Machine(append="hz=1000"), THREE_SIZES, r"^ok three_sizes$", seconds=SUITE_SECONDS)),
    Stage("misfit", logged(Machine(), MISFIT, *MISFIT_SAYS)),
    Stage("cpu-a53", smoke(Machine(cpu="cortex-a53"))),
    Stage("cpu-a57", smoke(Machine(cpu="cortex-a57"))),
    Stage("cpu-a76", smoke(Machine(cpu="cortex-a76"))),
    Stage("cpu-n1", smoke(Machine(cpu="neoverse-n1"))),
    Stage("mem-128M", smoke(Machine(mem="128M"))),
    Stage("mem-8G", smoke(Machine(mem="8G"))),
    Stage("oom", answers(Machine(mem="256M"), "/tests/out_of_memory; /tests/fork_bomb; /tests/oom_killer", OOM_SAYS)),
    Stage("gicv2", smoke(Machine(cpu="cortex-a72", board="gic-version=2"))),
    Stage("el2", smoke(Machine(board="gic-version=3,virtualization=on", append="selftest=1"), SELFTEST_SAYS)),
    Stage("el2-a72", smoke(Machine(cpu="cortex-a72", board="gic-version=3,virtualization=on"))),
    Stage("mmio-modern", smoke(Machine(extra=MODERN_MMIO))),
    Stage("selftest", smoke(Machine(append="selftest=1"), SELFTEST_SAYS)),
    Stage("selftest-a72", smoke(Machine(cpu="cortex-a72", mem="128M", append="selftest=1"), SELFTEST_SAYS)),
    Stage("disk", disk(Machine())),
    Stage("disk-modern", disk(Machine(cpu="cortex-a72", extra=MODERN_MMIO))),
    Stage("disk-gicv2", disk(Machine(cpu="cortex-a53", board="gic-version=2"))),
    Stage("panic", dies(Machine(append="selftest=panic"), r"kernel panic: asked for", *BACKTRACE)),
    Stage("panic-read", dies(Machine(append="selftest=wild-read"), r"level \d translation fault", *REPORT)),
    Stage("panic-text", dies(Machine(append="selftest=write-to-text"), r"level 3 permission fault", *REPORT)),
    Stage("panic-stack", dies(Machine(append="selftest=overflow-stack"), r"kernel stack overflow", *REPORT)),
    Stage("debug", smoke(Machine(kernel="target/image/Image-debug", append="selftest=1"), SELFTEST_SAYS)),
    Stage("gdb", debugger),
    Stage("no-disk", dies(Machine(disk=None), r"kernel panic: .*vda")),
    Stage("no-init", dies(Machine(append="init=/no/such/init"), r"kernel panic: .*/no/such/init")),
]
