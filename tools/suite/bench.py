"""`make bench`: the guest's benchmarks with every instruction counted, a table, and the limits they must keep.

Under `-icount shift=0,sleep=off` the guest's counts are the same from run to run, so a limit can be tight: it is
exceeded by a change of the kernel, not by the weather.
"""

import json
import re
import sys

from qemu import Machine
from suite import guest
from suite.stage import Log, Result, Stage

# Name of a figure to the most it may be. Some head-room over what was measured, or the figure promised if that is lower.
LIMITS = "tools/bench-limits.json"
REPORT = "target/bench.json"

COUNTED = ("-icount", "shift=0,sleep=off")
BENCH = "/bench/figures"
BENCH_SECONDS = 240.0

BOOT_LINE = re.compile(r"boot: (\d+) instructions to init")
FIGURE = re.compile(r"^bench (\S+) (\d+(?:\.\d+)?) (.+)$", re.MULTILINE)


def measure(log: Log) -> tuple[dict[str, tuple[float, str]], str | None]:
    """Every figure as value and unit; and what went wrong, if something did."""
    figures: dict[str, tuple[float, str]] = {}
    small = Machine(mem="1G", extra=COUNTED, command=guest.SMOKE)
    status, output = guest.boot(log, small, guest.SMOKE_SECONDS)
    if (line := BOOT_LINE.search(output)) is None:
        return figures, f"no count of instructions to init; status {status}"
    figures["reset-to-init"] = (float(line[1]), "instructions")
    large = Machine(mem="2G", extra=COUNTED, command=BENCH, append="perf_user_access=1")
    status, output = guest.boot(log, large, BENCH_SECONDS)
    for name, value, unit in FIGURE.findall(output):
        figures[name] = (float(value), unit)
    return figures, None if status == 0 else f"{BENCH} ended with status {status}"


def limits() -> dict[str, float]:
    """The limits, by name of figure."""
    with open(LIMITS) as file:
        return json.load(file)


def judge(figures: dict[str, tuple[float, str]]) -> list[str]:
    """What is over its limit, or missing."""
    found = []
    for name, most in limits().items():
        if name not in figures:
            found.append(f"{name}: not measured")
        elif figures[name][0] > most:
            found.append(f"{name}: {figures[name][0]:,.0f} {figures[name][1]}, the limit is {most:,.0f}")
    return found


def stage(log: Log) -> Result:
    """Each limit is one test."""
    figures, trouble = measure(log)
    if trouble:
        return Result.of(trouble)
    over = judge(figures)
    return Result(passed=len(limits()) - len(over), failed=len(over), notes=over)


def main() -> int:
    """Prints the table and writes the report."""
    log = Log("bench")
    print(f"measuring (log: {log.path})", file=sys.stderr)
    figures, trouble = measure(log)
    most = limits()
    print(f"{'figure':<28} {'value':>14} {'limit':>12}  unit")
    for name, (value, unit) in figures.items():
        limit = f"{most[name]:,.0f}" if name in most else "-"
        print(f"{name:<28} {value:>14,.0f} {limit:>12}  {unit}")
    with open(REPORT, "w") as file:
        json.dump({name: {"value": value, "unit": unit} for name, (value, unit) in figures.items()}, file, indent=2)
    problems = [trouble] if trouble else judge(figures)
    for line in problems:
        print(f"granule: {line}", file=sys.stderr)
    if problems:
        print(f"granule: failed: {log.command}; log: {log.path}", file=sys.stderr)
    return 1 if problems else 0


STAGES = [Stage("bench", stage)]

if __name__ == "__main__":
    sys.exit(main())
