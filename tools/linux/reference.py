"""What Linux said, kept as text in the repository: `make test-linux` writes it, the continuous integration compares."""

import os
import re

PROGRAMS = "user/tests/linux/programs.txt"
HEAD = """\
# How each test program ends on Debian's arm64 Linux, by page size. Written by `make test-linux`.
"""


def outcomes(output: str) -> dict[str, str]:
    """The outcome of each test program, by its name, from what `/tests/run` printed."""
    found = re.findall(r"^(ok|not ok|skip) ([^\s:]+)", output, re.MULTILINE)
    return {name: outcome for outcome, name in found}


def read() -> dict[str, dict[str, str]]:
    """The outcomes that the repository has: by page size, then by program."""
    kept: dict[str, dict[str, str]] = {}
    if os.path.exists(PROGRAMS):
        with open(PROGRAMS) as file:
            lines = [line for line in file.read().splitlines() if line and not line.startswith("#")]
        for line in lines:
            name, *columns = re.split(r"\s{2,}", line)
            for column in columns:
                size, _, outcome = column.partition(" ")
                kept.setdefault(size, {})[name] = outcome
    return kept


def write(found: dict[str, dict[str, str]]) -> bool:
    """Replaces the repository's outcomes; whether that changed any."""
    names = sorted({name for programs in found.values() for name in programs})
    lines = []
    for name in names:
        columns = [f"{size} {programs[name]}" for size, programs in found.items() if name in programs]
        lines.append("  ".join([f"{name:<24}", *(f"{column:<10}" for column in columns)]).rstrip() + "\n")
    return replace(PROGRAMS, HEAD + "".join(lines))


def replace(path: str, text: str) -> bool:
    """Writes a file if it is not so already; whether it was not."""
    if os.path.exists(path):
        with open(path) as file:
            if file.read() == text:
                return False
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return True


def differences(size: str, kept: dict[str, str], found: dict[str, str]) -> list[str]:
    """A line for each program that ended otherwise than the repository says."""
    return [
        f"{name} on {size}: {found.get(name, 'nothing')}, the repository has {kept.get(name, 'nothing')}"
        for name in sorted(kept.keys() | found.keys())
        if kept.get(name) != found.get(name)
    ]
