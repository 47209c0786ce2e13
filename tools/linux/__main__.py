"""`make test-linux`: the test programs and busybox's script on Debian's arm64 Linux, with pages of 4K and of 16K, in the
machine that Granule runs on. Usage: `python3 -m linux`, from the repository's root.

What they say there is kept in the repository. Run by a person it is written anew, for `git diff` to show; in the
continuous integration, which sets CI=true, a difference is a failure, and so is a download that does not succeed.
"""

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from linux import busybox, disk, packages, reference
from linux.machine import LinuxMachine
from suite import guest, host
from suite.__main__ import QEMUS, held_image, print_verdict
from suite.stage import Log, Result, Stage

IN_CI = os.environ.get("CI") == "true"
BOOT_SECONDS = 420.0
# What to do about a difference.
AGAIN = "make test-linux; commit what it changes"


def fetch(log: Log) -> Result:
    """The packages are there."""
    try:
        return Result(passed=1, notes=packages.fetch(log, packages.PACKAGES))
    except packages.Unavailable as error:
        return Result.of(str(error)) if IN_CI else Result(skipped=1, notes=[f"skip Linux: {error}"])


@dataclasses.dataclass
class Said:
    """What one Linux said."""

    programs: dict[str, str]
    busybox: dict[str, list[str]]


def make_disk(log: Log) -> Result:
    """The disk has busybox and its script."""
    return Result.of(None if disk.make(log) else "the disk cannot be made")


def boot(size: str, said: dict[str, Said]) -> Callable[[Log], Result]:
    """All in one boot. Puts what this Linux said into `said` if it came to its end."""

    def body(log: Log) -> Result:
        machine = LinuxMachine.of(packages.Kernel(size), disk.IMAGE, f"{guest.SUITE}; {disk.COMMAND}")
        status, output = guest.boot(log, machine, BOOT_SECONDS)
        result = Result.of_verdict(output, status)
        here = Said(reference.outcomes(output), busybox.sections(output))
        if busybox.END in here.busybox and len(here.programs) == result.passed + result.failed + result.skipped:
            said[size] = here
        return result

    return body


def compare_programs(said: dict[str, Said]) -> Callable[[Log], Result]:
    """How the programs ended is what the repository has, or becomes so."""

    def body(log: Log) -> Result:
        log.command = AGAIN
        found = {size: said[size].programs for size in packages.KERNELS}
        if not IN_CI:
            changed = reference.write(found)
            return Result(passed=1, notes=[f"{reference.PROGRAMS} has changed"] if changed else [])
        kept = reference.read()
        notes = [line for size in found for line in reference.differences(size, kept.get(size, {}), found[size])]
        return Result(passed=0 if notes else 1, failed=len(notes), notes=notes)

    return body


def compare_busybox(said: dict[str, Said]) -> Callable[[Log], Result]:
    """The script prints the same on all, which is what the repository has, or becomes so."""

    def body(log: Log) -> Result:
        log.command = AGAIN
        first, *others = (said[size].busybox for size in packages.KERNELS)
        notes = [] if IN_CI or not busybox.keep(first) else [f"{busybox.REFERENCE} has changed"]
        results = [busybox.compare(found, busybox.kept()) for found in (first, *others)]
        counts = (sum(getattr(result, name) for result in results) for name in ("passed", "failed"))
        return Result(*counts, notes=notes + [note for result in results for note in result.notes])

    return body


def run_all() -> list[Result]:
    """One after the other, but the Linuxes side by side."""
    said: dict[str, Said] = {}
    with held_image():
        results = [Stage("image", host.image).run()]
        if results[-1].failed:
            return results
        results.append(Stage("linux-packages", fetch).run())
        if not results[-1].passed:
            return results
        results.append(Stage("linux-disk", make_disk).run())
        if results[-1].failed:
            return results
        boots = [Stage(f"linux-{size}", boot(size, said)) for size in packages.KERNELS]
        with ThreadPoolExecutor(QEMUS) as pool:
            results += pool.map(Stage.run, boots)
    if said.keys() == packages.KERNELS.keys():
        results.append(Stage("linux-programs", compare_programs(said)).run())
        results.append(Stage("linux-busybox", compare_busybox(said)).run())
    else:
        results.append(Stage("linux-end", lambda _: Result.of("not every Linux came to the end of its tests")).run())
    return results


if __name__ == "__main__":
    try:
        begin = time.monotonic()
        sys.exit(print_verdict(run_all(), time.monotonic() - begin))
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"granule: failed: {error.cmd}")
