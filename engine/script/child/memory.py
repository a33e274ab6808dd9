"""The limit on a script's memory: what a process asks for beyond it raises MemoryError."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

_limit: list[int] = []


def limit_to(size: int) -> None:
    """Let this process, and each that it starts from now on, have at most `size` bytes."""
    _limit[:] = [size]
    _set(size)


def limit() -> int | None:
    return _limit[0] if _limit else None


@contextlib.contextmanager
def lifted() -> Iterator[None]:
    """Without the limit, for what is not the script's own work."""
    if _limit:
        _set(resource.getrlimit(resource.RLIMIT_DATA)[1])
    try:
        yield
    finally:
        if _limit:
            _set(_limit[0])


def _set(size: int) -> None:
    # Not the address space: libraries reserve far more of it than they use.
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (size, most))
