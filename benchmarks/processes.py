"""Processes side by side: CPU seconds and peak memory of each, the best of interleaved runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used: CPU seconds (user and system, with children) and peak MiB."""

    cpu_seconds: float
    peak_mib: float


def measure(command: Sequence[str], folder: Path) -> Usage:
    """Run a command to its end; it must succeed."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_as_installed(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}\n{errors}")
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _as_installed() -> dict[str, str]:
    """The environment with bytecode caching, as after an installation."""
    return {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def compare(commands: Mapping[str, Sequence[str]], folder: Path, rounds: int) -> dict[str, Usage]:
    """The best usage of each command over interleaved rounds."""
    best: dict[str, Usage] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            usage = measure(command, folder)
            known = best.get(name, usage)
            best[name] = Usage(
                min(known.cpu_seconds, usage.cpu_seconds), max(known.peak_mib, usage.peak_mib)
            )
    return best


def engine_command(*arguments: str) -> list[str]:
    """The command line of the engine under this interpreter."""
    return [sys.executable, "-m", "engine", *arguments]
