"""How much memory a process and its descendants hold, as Linux tells it."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MAX_PROCESSES = 1000


def memory_of(pid: int) -> int | None:
    """Resident bytes of the process and its descendants; None where the system does not tell.

    Pages that several processes share count for each of them.
    """
    total = _resident(pid)
    if total is None:
        return None
    waiting, seen = [pid], 1
    while waiting and seen < _MAX_PROCESSES:
        children = _children(waiting.pop())
        seen += len(children)
        total += sum(_resident(child) or 0 for child in children)
        waiting += children
    return total


def _resident(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):  # it has just ended, or this is not Linux
        return None


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            names = (thread / "children").read_bytes()
            found += map(int, names.split())
    except OSError:
        pass
    return found
