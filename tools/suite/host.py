"""The stages that need no guest: format, lints, host tests, the tests of the tools, the build."""

import re
import shlex
import subprocess
from collections.abc import Callable

from suite.stage import Log, Result

# The newest clippy that was seen to be content. Newer ones have lints that nobody has met here: those are shown in the
# log, and fail nobody's check, or each release would break `make test` on the machines that have it first.
NEWEST_CLIPPY = (0, 1, 99)

# A first build compiles the core library too.
BUILD_SECONDS = 600.0
TEST_SECONDS = 600.0


def command(flavour: str, *args: str) -> str:
    """A cargo command, as the chooser prints it."""
    return subprocess.run(
        ["tools/toolchain", flavour, *args], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def one(log: Log, line: str, timeout: float) -> Result:
    """A command as one test."""
    status, _ = log.run(line, timeout)
    return Result.of(None if status == 0 else f"status {status}")


def fmt(log: Log) -> Result:
    """rustfmt has nothing to say."""
    return one(log, command("host", "fmt", "--all", "--check"), 60)


def clippy(log: Log, flavour: str, *args: str) -> Result:
    """The lints; warnings are errors if the clippy is one we know."""
    _, version = log.run(command(flavour, "clippy", "--version"), 60)
    number = re.search(r"^clippy (\d+)\.(\d+)\.(\d+)", version, re.MULTILINE)
    known = number is not None and tuple(map(int, number.groups())) <= NEWEST_CLIPPY
    return one(log, command(flavour, "clippy", *args, *(("--", "-D", "warnings") if known else ())), BUILD_SECONDS)


def clippy_host(log: Log) -> Result:
    """On what runs here."""
    return clippy(log, "host", "--all-targets")


def clippy_kernel(log: Log) -> Result:
    """On the kernel and all that it links."""
    return clippy(log, "kernel", "--release")


def clippy_programs(log: Log) -> Result:
    """On the programs of the disk."""
    return clippy(log, "user", "--release")


def cargo_test(log: Log) -> Result:
    """All host tests; `--no-fail-fast`, so that one broken crate does not hide the others."""
    status, output = log.run(command("host", "test", "--no-fail-fast"), TEST_SECONDS)
    # What is marked as ignored is a soak for those who ask for it, not a test that this machine could not run.
    counts = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed", output, re.MULTILINE)
    passed, failed = (sum(int(row[i]) for row in counts) for i in range(2))
    notes = re.findall(r"^test .* \.\.\. FAILED$", output, re.MULTILINE)
    if status != 0 and not failed:
        failed, notes = 1, notes + [f"cargo test ended with status {status}"]
    return Result(passed, failed, notes=notes)


def script(path: str) -> Callable[[Log], Result]:
    """A script that prints `ok` and `not ok` lines and a verdict."""

    def body(log: Log) -> Result:
        status, output = log.run(shlex.quote(path), TEST_SECONDS)
        return Result.of_verdict(output, status)

    return body


def image(log: Log) -> Result:
    """The images build; the caller holds their lock."""
    return one(log, "tools/image locked", BUILD_SECONDS)


def image_debug(log: Log) -> Result:
    """The other kernel profile builds too."""
    return one(log, "DEBUG=1 tools/image locked", BUILD_SECONDS)
