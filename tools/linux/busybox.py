"""What Debian's busybox prints when it runs the script of `user/tests/busybox`: its sections, one for each check, and
how they compare with Linux's, which the repository keeps."""

import os
import re

from linux import reference
from suite.stage import Result

REFERENCE = "user/tests/linux/busybox.txt"
# A line of the kernel's own, which may come at any time.
KERNEL_LINE = re.compile(r"\[ *\d+\.\d{6}\] ")
END = "== end"


def sections(output: str) -> dict[str, list[str]]:
    """The lines of each check by its title; the end of the script is a section without lines."""
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in output.splitlines():
        if line.startswith("== "):
            lines = found[line] = []
            if line == END:
                break
        elif lines is not None and not KERNEL_LINE.match(line):
            lines.append(line)
    return found


def kept() -> dict[str, list[str]]:
    """The repository's."""
    if not os.path.exists(REFERENCE):
        return {}
    with open(REFERENCE) as file:
        return sections(file.read())


def keep(found: dict[str, list[str]]) -> bool:
    """Makes these the repository's; whether that changed them."""
    text = "".join(f"{line}\n" for title, lines in found.items() for line in [title, *lines])
    return reference.replace(REFERENCE, text)


def compare(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> Result:
    """Each check is a test, with a line about the first difference."""
    result = Result()
    for title in wanted.keys() | found.keys():
        problem = difference(found.get(title), wanted.get(title))
        if problem is None:
            result.passed += title != END
        else:
            result.failed += 1
            result.notes.append(f"not ok {title.removeprefix('== ')}: {problem}")
    result.notes.sort()
    return result


def difference(found: list[str] | None, wanted: list[str] | None) -> str | None:
    """The first difference between two outputs of one check."""
    if found is None:
        return "did not run"
    if wanted is None:
        return "the repository does not know it"
    for number in range(max(len(found), len(wanted))):
        pair = [lines[number] if number < len(lines) else "nothing" for lines in (found, wanted)]
        if pair[0] != pair[1]:
            return f"line {number + 1} is {pair[0]!r}, on Linux {pair[1]!r}"
    return None
