"""A stage of the tests: a name, a function that counts what held and what did not, its log and its time."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

LOGS = "target/logs"
# A stage that takes longer than this says that it runs.
ANNOUNCE_SECONDS = 5.0

VERDICT = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


@dataclasses.dataclass
class Result:
    """What a stage found. `notes` are the lines a person needs: what failed and why, what was skipped and why."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, problem: str | None) -> "Result":
        """The result of a stage that is one test: passed if there is no problem."""
        return cls(passed=1) if problem is None else cls(failed=1, notes=[problem])

    @classmethod
    def of_verdict(cls, output: str, status: int) -> "Result":
        """The result of a program that prints `ok`, `not ok` and `skip` lines, then its verdict."""
        notes = [line for line in output.splitlines() if re.match(r"(not ok|skip) ", line)]
        verdict = VERDICT.findall(output)
        if not verdict:
            return cls(failed=1, notes=notes + [f"no verdict; it ended with status {status}"])
        result = cls(*(int(number or 0) for number in verdict[-1]), notes)
        if status != 0 and not result.failed:
            result.failed = 1
            result.notes.append(f"all passed, yet it ended with status {status}")
        return result


@dataclasses.dataclass
class Stage:
    """One row of the table."""

    name: str
    body: Callable[["Log"], Result]

    def run(self) -> Result:
        """Runs it and prints one line, and what failed."""
        start = time.monotonic()
        log = Log(self.name)
        timer = threading.Timer(ANNOUNCE_SECONDS, lambda: say(f"     {self.name}: running (log: {log.path})"))
        timer.daemon = True
        timer.start()
        try:
            result = self.body(log)
        except subprocess.TimeoutExpired as error:
            result = Result.of(f"no end after {error.timeout:.0f} s: {error.cmd}")
        finally:
            timer.cancel()
        seconds = time.monotonic() - start
        counts = f"{result.passed} passed, {result.failed} failed" + (
            f", {result.skipped} skipped" if result.skipped else ""
        )
        word = "FAIL" if result.failed else "ok  "
        lines = [f"{word} {self.name:<18} {counts:<30} {seconds:6.1f} s"] + [f"     {note}" for note in result.notes]
        if result.failed:
            if not result.notes or not result.notes[0].startswith("not ok "):
                lines += [f"     | {line}" for line in log.tail()]
            lines.append(f"     failed: {log.command}; log: {log.path}")
        say("\n".join(lines))
        return result


class Log:
    """The log file of a stage, and the commands that write to it."""

    def __init__(self, name: str):
        os.makedirs(LOGS, exist_ok=True)
        self.path = f"{LOGS}/test-{name}.log"
        self.command = ""
        open(self.path, "w").close()

    def run(self, command: str, timeout: float) -> tuple[int, str]:
        """Runs a shell command into the log; returns its status and what it printed."""
        self.command = command
        with open(self.path, "ab") as file:
            begin = file.tell()
            process = subprocess.Popen(
                ["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
            try:
                process.wait(timeout)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        with open(self.path, "rb") as file:
            file.seek(begin)
            return process.returncode, file.read().decode(errors="replace")

    def write(self, data: bytes) -> None:
        """Adds to the log."""
        with open(self.path, "ab") as file:
            file.write(data)

    def tail(self, lines: int = 25) -> list[str]:
        """The end of the log."""
        with open(self.path, errors="replace") as file:
            return [line.rstrip() for line in file][-lines:]


def say(text: str) -> None:
    """Prints for the person who waits; in one piece, as stages may run side by side."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
