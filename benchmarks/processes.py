"""Processes next to each other: the CPU seconds of each, in interleaved rounds."""

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
class Command:
    """A command to measure, and the file that gets its standard output."""

    arguments: Sequence[str]
    stdout: Path = Path(os.devnull)


def cpu_seconds(command: Command) -> float:
    """Run a command in the folder of the repository; it must succeed.

    Returns its user and system time, with that of its children.
    """
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
    return used.ru_utime + used.ru_stime


def _as_installed() -> dict[str, str]:
    """The environment with bytecode caching, as after an installation."""
    return {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


class Rounds:
    """The CPU seconds of several commands, measured in turn, round after round."""

    def __init__(self, seconds: Mapping[str, Sequence[float]]) -> None:
        self.seconds = seconds

    @classmethod
    def run(
        cls, commands: Mapping[str, Command], rounds: int, once: Collection[str] = ()
    ) -> Rounds:
        """Run every command in each round; those in `once` in the first round only."""
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(rounds):
            for name, command in commands.items():
                if number == 0 or name not in once:
                    seconds[name].append(cpu_seconds(command))
        return cls(seconds)

    def median(self, name: str) -> float:
        return median(self.seconds[name])

    def ratio(self, name: str, base: str) -> float:
        """The time of one command divided by that of another: the median of the rounds' ratios.

        What slows down the machine for a while slows down both in the same round.
        """
        pairs = zip(self.seconds[name], self.seconds[base], strict=True)
        return median(each / other for each, other in pairs)


def engine_command(*arguments: str) -> Command:
    """The command line of the engine under this interpreter."""
    return Command([sys.executable, "-m", "engine", *arguments])
