"""Waiting for processes to end, without sleeping longer than it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 240.0


def gone(pid: int) -> bool:
    """Whether a process ends within some seconds (a dead one that nobody reaps counts)."""

    def ended() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return until(ended)


def until(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        pause.wait(0.01)
    return False


def children_of(pid: int) -> set[int]:
    """The processes that `pid` has started and that have not been reaped."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == pid:
                    found.add(int(entry.name))
    return found
