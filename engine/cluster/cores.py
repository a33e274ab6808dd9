"""The cores of this machine, and how many workers they mean."""

from __future__ import annotations

import os
from math import ceil, inf
from pathlib import Path
from typing import Literal

Workers = int | Literal["auto"]

OWN_GROUP, GROUPS = "/proc/self/cgroup", "/sys/fs/cgroup"


def count_of(workers: Workers) -> int:
    """The number of workers; "auto" is one for each core."""
    return cores() if workers == "auto" else workers


def cores() -> int:
    """The cores that this process may use, as many as a container has if it has fewer."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        usable = os.cpu_count() or 1
    return max(1, ceil(min(usable, _quota())))


def _quota() -> float:
    """How many cores control groups of Linux (version 2) allow: those of this process, and those
    that they are part of. A container sees its own as the root."""
    try:
        group = Path(OWN_GROUP).read_text().rpartition("0::")[2].strip()
    except OSError:  # not on this system
        return inf
    folder = Path(GROUPS, group.lstrip("/"))
    return min(map(_quota_in, (folder, *folder.parents)))


def _quota_in(folder: Path) -> float:
    try:
        allowed, period = (folder / "cpu.max").read_text().split()
    except (OSError, ValueError):  # no limit can be set there
        return inf
    return inf if allowed == "max" else int(allowed) / int(period)


def threads_of(workers: int) -> dict[str, str]:
    """Environment variables with which so many processes with numeric libraries share the cores.

    Each process would start a thread for each core otherwise, and most of them would be in the way.
    """
    each = str(max(1, cores() // workers))
    wanted = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), each)
    return {name: count for name, count in wanted.items() if name not in os.environ}
