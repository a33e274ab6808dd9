"""The cores of this machine, and how many workers they mean."""

from __future__ import annotations

import os
from typing import Literal

Workers = int | Literal["auto"]


def count_of(workers: Workers) -> int:
    """The number of workers; "auto" is one for each core."""
    return cores() if workers == "auto" else workers


def cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def threads_of(workers: int) -> dict[str, str]:
    """Environment variables with which so many processes with numeric libraries share the cores.

    Each process would start a thread for each core otherwise, and most of them would be in the way.
    """
    each = str(max(1, cores() // workers))
    wanted = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), each)
    return {name: count for name, count in wanted.items() if name not in os.environ}
