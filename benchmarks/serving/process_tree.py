"""CPU time and memory of a server: of its process and all descendants, read from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Memory of a process in MiB: resident (RSS), proportional (PSS) and private."""

    pid: int
    command: str
    rss: float
    pss: float
    private: float


def descendants(root: int) -> list[int]:
    """The process and all its descendants, except those that have ended."""
    children = defaultdict(list)
    for pid in _all_processes():
        fields = _stat(pid)
        if fields and fields[0] != "Z":
            children[int(fields[1])].append(pid)
    found = [root] if _stat(root) else []
    for pid in found:
        found.extend(children[pid])
    return found


def cpu_seconds(root: int) -> float:
    """CPU seconds of the tree, including ended children. The resolution is 10 ms.

    The time of a process that ends moves to the parent that waits for it, so a difference of two
    readings misses only processes whose parent ended before them.
    """
    ticks = 0
    for pid in descendants(root):
        ticks += sum(
            map(int, _stat(pid)[11:15])
        )  # own user and system time, then those of ended children
    return ticks / TICKS


def memory(root: int) -> list[ProcessMemory]:
    """The memory of every process of the tree, oldest first."""
    found = (_memory_of(pid) for pid in descendants(root))
    return [each for each in found if each is not None]


def command_line(pid: int) -> str:
    """Its arguments joined by spaces; empty if it has ended."""
    try:
        content = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return content.replace(b"\0", b" ").decode(errors="replace").strip()


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields after the name, starting with the state; empty if the process has ended."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _memory_of(pid: int) -> ProcessMemory | None:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    kib = {name: int(value.split()[0]) for name, _, value in (li.partition(":") for li in lines)}
    private = kib["Private_Clean"] + kib["Private_Dirty"]
    return ProcessMemory(
        pid, command_line(pid), kib["Rss"] / 1024, kib["Pss"] / 1024, private / 1024
    )
