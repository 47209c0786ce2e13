"""`make test-linux`: the test programs on Debian's arm64 Linux, with pages of 4K and of 16K, in the machine that Granule
runs on. Usage: `python3 -m linux`, from the repository's root.

What they say there is kept in the repository. Run by a person it is written anew, for `git diff` to show; in the
continuous integration, which sets CI=true, a difference is a failure, and so is a download that does not succeed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from linux import packages, reference
from linux.machine import LinuxMachine
from suite import guest, host
from suite.__main__ import QEMUS, held_image, print_verdict
from suite.stage import Log, Result, Stage

IN_CI = os.environ.get("CI") == "true"
BOOT_SECONDS = 300.0


def fetch(log: Log) -> Result:
    """The packages are there."""
    try:
        return Result(passed=1, notes=packages.fetch(log))
    except packages.Unavailable as error:
        return Result.of(str(error)) if IN_CI else Result(skipped=1, notes=[f"skip Linux: {error}"])


def programs(size: str, found: dict[str, dict[str, str]]) -> Callable[[Log], Result]:
    """All test programs in one boot. Puts their outcomes into `found`."""

    def body(log: Log) -> Result:
        machine = LinuxMachine.of(packages.Kernel(size), "target/image/root.erofs", guest.SUITE)
        status, output = guest.boot(log, machine, BOOT_SECONDS)
        result = Result.of_verdict(output, status)
        outcomes = reference.outcomes(output)
        if len(outcomes) == result.passed + result.failed + result.skipped:
            found[size] = outcomes
        return result

    return body


def compare(found: dict[str, dict[str, str]]) -> Callable[[Log], Result]:
    """The outcomes are those of the repository, or become so."""

    def body(log: Log) -> Result:
        log.command = "make test-linux; commit what it changes"
        if found.keys() != packages.KERNELS.keys():
            return Result.of("not every Linux ran to its end")
        if not IN_CI:
            changed = reference.write({size: found[size] for size in packages.KERNELS})
            return Result(passed=1, notes=[f"{reference.PROGRAMS} has changed"] if changed else [])
        kept = reference.read()
        notes = [
            line for size in packages.KERNELS for line in reference.differences(size, kept.get(size, {}), found[size])
        ]
        return Result(passed=0 if notes else 1, failed=len(notes), notes=notes)

    return body


def run_all() -> list[Result]:
    """One after the other, but the Linuxes side by side."""
    found: dict[str, dict[str, str]] = {}
    with held_image():
        results = [Stage("image", host.image).run()]
        if results[-1].failed:
            return results
        results.append(Stage("linux-packages", fetch).run())
        if not results[-1].passed:
            return results
        boots = [Stage(f"linux-{size}", programs(size, found)) for size in packages.KERNELS]
        with ThreadPoolExecutor(QEMUS) as pool:
            results += pool.map(Stage.run, boots)
    results.append(Stage("linux-reference", compare(found)).run())
    return results


if __name__ == "__main__":
    try:
        begin = time.monotonic()
        sys.exit(print_verdict(run_all(), time.monotonic() - begin))
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"granule: failed: {error.cmd}")
