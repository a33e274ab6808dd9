"""Processes next to each other: CPU seconds and peak memory of each, in interleaved rounds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]


class FailedProcessError(Exception):
    """A measured process ended with an error. The message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used: CPU seconds (user and system, with its children) and peak MiB."""

    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Command:
    """A command to measure, and the file that gets its standard output."""

    arguments: Sequence[str]
    stdout: Path = Path(os.devnull)


def measure(command: Command) -> Usage:
    """Run a command to its end in the folder of the repository; it must succeed."""
    with command.stdout.open("wb") as stdout:
        process = subprocess.Popen(
            command.arguments,
            cwd=ROOT,
            env=_as_installed(),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailedProcessError(f"exited with code {process.returncode}\n{errors[-1500:]}")
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _as_installed() -> dict[str, str]:
    """The environment with bytecode caching, as after an installation."""
    return {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


class Rounds:
    """The usages of several commands, measured in turn, round after round."""

    def __init__(self, usages: Mapping[str, Sequence[Usage]]) -> None:
        self.usages = usages

    @classmethod
    def run(
        cls, commands: Mapping[str, Command], rounds: int, once: Collection[str] = ()
    ) -> Rounds:
        """Run every command in each round; those in `once` in the first round only."""
        usages: dict[str, list[Usage]] = {name: [] for name in commands}
        for number in range(rounds):
            for name, command in commands.items():
                if number == 0 or name not in once:
                    usages[name].append(measure(command))
        return cls(usages)

    def cpu_seconds(self, name: str) -> float:
        """The median over the rounds."""
        return median(each.cpu_seconds for each in self.usages[name])

    def peak_mib(self, name: str) -> float:
        return max(each.peak_mib for each in self.usages[name])

    def ratio(self, name: str, base: str) -> float:
        """CPU time of one command divided by that of another: the median of the rounds' ratios.

        What slows down the machine for a while slows down both in the same round.
        """
        pairs = zip(self.usages[name], self.usages[base], strict=True)
        return median(each.cpu_seconds / other.cpu_seconds for each, other in pairs)


def engine_command(*arguments: str) -> Command:
    """The command line of the engine under this interpreter."""
    return Command([sys.executable, "-m", "engine", *arguments])
