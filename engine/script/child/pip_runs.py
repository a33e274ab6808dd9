"""Runs of pip, shown while they last."""

from __future__ import annotations

import collections
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .memory import lifted
from .messages import say

_QUIET = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
_TAIL = 12


class InstallError(Exception):
    """A library is missing, and may not or could not be installed."""

    def __init__(self, message: str, resolution: str = "") -> None:
        super().__init__(message, resolution)
        self.resolution = resolution

    def __str__(self) -> str:
        return str(self.args[0])


class PipRun(NamedTuple):
    """A run of pip that has ended; `code` is negative if it was killed."""

    wanted: Sequence[str]
    lines: list[str]
    code: int

    @property
    def was_killed(self) -> bool:
        return self.code < 0

    def output(self, remedy: str) -> str:
        """What pip wrote. Raises InstallError, with the remedy, if it failed."""
        if self.code:
            last = "\n".join(f"  {line}" for line in self.lines[-_TAIL:])
            names = ", ".join(self.wanted)
            raise InstallError(
                f"pip could not install {names}; last lines of its output:\n{last}", remedy
            )
        return "".join(f"{line}\n" for line in self.lines)


class PipRuns:
    """Runs pip for the script's environment, preferably the pip of the engine's Python."""

    def __init__(self, engine_python: str, folder: str) -> None:
        self._engine_python = engine_python
        self._folder = folder

    def install(self, wanted: list[str], options: list[str], verbose: bool) -> PipRun:
        command = [*self._command(), "install", *options, *_QUIET, *wanted]
        with lifted():
            lines, code = _run_shown(command, wanted, verbose, self._folder)
        return PipRun(wanted, lines, code)

    def _command(self) -> list[str]:
        """The engine's pip, told to install into this environment, or else a pip in it."""
        probe = [self._engine_python, "-c", "import pip"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return [self._engine_python, "-m", "pip", "--python", sys.executable]
        own = [sys.executable, "-m", "ensurepip", "--default-pip"]
        if subprocess.run(own, capture_output=True, check=False).returncode != 0:
            raise InstallError(
                f"{self._engine_python} has no pip, and ensurepip failed",
                "install pip for the Python that runs the engine",
            )
        return [sys.executable, "-m", "pip"]


def _run_shown(
    command: list[str], wanted: list[str], verbose: bool, folder: str
) -> tuple[list[str], int]:
    """Run pip, reporting progress at growing intervals; returns its last lines and exit code."""
    names, began = ", ".join(wanted), time.monotonic()
    say(f"installing {names} ...")
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=folder if Path(folder).is_dir() else None,
    )
    lines: collections.deque[str] = collections.deque(maxlen=1_000)
    reader = threading.Thread(target=_gather, args=(process, lines, verbose), daemon=True)
    reader.start()
    pause = 2.0
    while reader.is_alive():
        reader.join(pause)
        if reader.is_alive():
            say(f"installing {names} ... {time.monotonic() - began:.0f} s")
            pause = min(pause * 1.5, 30.0)
    code = process.wait()
    if code == 0:
        say(f"installed {names} ({time.monotonic() - began:.1f} s)")
    return list(lines), code


def _gather(process: subprocess.Popen[str], lines: collections.deque[str], verbose: bool) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if verbose:
                say(lines[-1])
