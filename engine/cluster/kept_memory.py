"""Lets a worker keep the memory of a chunk for the next one: to get it from the system again each
time takes a sixth of the time of a filter and a mapping."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_THRESHOLDS = {-1: 128 << 20, -3: 32 << 20}
"""Of glibc (mallopt): M_TRIM_THRESHOLD, M_MMAP_THRESHOLD."""


def keep_memory() -> None:
    """For this process, and those forked from it."""
    with suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        for name, value in _THRESHOLDS.items():
            mallopt(name, value)
