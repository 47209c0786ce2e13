"""The stages that need no guest: format, lints, host tests, the tests of the tools, the build."""

import re
import shlex
import subprocess
from collections.abc import Callable

from suite.stage import Log, Result

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


def clippy_host(log: Log) -> Result:
    """The lints, on what runs here."""
    return one(log, command("host", "clippy", "--all-targets", "--", "-D", "warnings"), BUILD_SECONDS)


def clippy_kernel(log: Log) -> Result:
    """The lints, on the kernel and all that it links."""
    return one(log, command("kernel", "clippy", "--release", "--", "-D", "warnings"), BUILD_SECONDS)


def clippy_programs(log: Log) -> Result:
    """The lints, on the programs of the disk."""
    return one(log, command("user", "clippy", "--release", "--", "-D", "warnings"), BUILD_SECONDS)


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
