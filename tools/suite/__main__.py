"""The table of stages, and the verdict. Usage: `python3 -m suite check|all [STAGE...]`, from the repository's root."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from suite import bench, busybox, guest, host
from suite.stage import Result, Stage

# The quick gate.
CHECK = [
    Stage("fmt", host.fmt),
    Stage("clippy-host", host.clippy_host),
    Stage("clippy-kernel", host.clippy_kernel),
    Stage("clippy-programs", host.clippy_programs),
    Stage("host-tests", host.cargo_test),
    Stage("toolchain", host.script("tools/tests/toolchain")),
    Stage("console", host.script("tools/tests/console")),
    Stage("linux-tools", host.script("tools/tests/linux")),
]

# Takes minutes, and is not for the quick gate.
MUTANTS = [Stage("mutants", host.script("tools/mutants"))]

BUILD = [Stage("image", host.image), Stage("image-debug", host.image_debug)]

# `make run` itself; it takes the lock of the disk image for each run.
FRONT_DOOR = [
    Stage("front-door", host.script("tools/tests/front-door")),
    Stage("terminal", host.script("tools/tests/terminal")),
]

# As many QEMUs at once as the least machine that we promise to be fast on has CPUs.
QEMUS = 2


def run_all(names: list[str]) -> list[Result]:
    """The check, then everything that needs the images."""

    def chosen(stages):
        return [stage for stage in stages if not names or stage.name in names]

    results = [stage.run() for stage in chosen(CHECK + MUTANTS)]
    needing_image = chosen(busybox.STAGES + guest.STAGES + bench.STAGES)
    if needing_image:
        with held_image():
            # Who names stages wants them soon, and seldom the slow kernel.
            for stage in BUILD if not names or "debug" in names else BUILD[:1]:
                results.append(stage.run())
                if results[-1].failed:
                    return results
            with ThreadPoolExecutor(QEMUS) as pool:
                results += pool.map(Stage.run, needing_image)
    results += [stage.run() for stage in chosen(FRONT_DOOR)]
    return results


@contextlib.contextmanager
def held_image():
    """Held while somebody builds and boots, so that nobody else exchanges the images meanwhile."""
    os.makedirs("target/image", exist_ok=True)
    lock = os.open("target/image", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("granule: the disk image is in use by another run")
    try:
        yield
    finally:
        os.close(lock)


def main() -> int:
    """Runs what is asked."""
    what, names = sys.argv[1], sys.argv[2:]
    start = time.monotonic()
    results = [stage.run() for stage in CHECK] if what == "check" else run_all(names)
    return print_verdict(results, time.monotonic() - start)


def print_verdict(results: list[Result], seconds: float) -> int:
    """Prints the sum of all results as the last line; returns the status that says the same."""
    passed, failed, skipped = (sum(getattr(r, k) for r in results) for k in ("passed", "failed", "skipped"))
    print(f"all stages: {seconds:.1f} s")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"granule: failed: {error.cmd}")
