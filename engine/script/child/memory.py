"""The limit on a script's memory: a process that asks for more gets MemoryError."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

_limit: list[int] = []


def limit_to(size: int) -> None:
    """Limit this process, and each one that it starts from now on, to `size` bytes."""
    _limit[:] = [size]
    _set(size)


def limit() -> int | None:
    return _limit[0] if _limit else None


@contextlib.contextmanager
def lifted() -> Iterator[None]:
    """Suspend the limit, for work that is not the script's own."""
    if _limit:
        _set(resource.getrlimit(resource.RLIMIT_DATA)[1])
    try:
        yield
    finally:
        if _limit:
            _set(_limit[0])


def _set(size: int) -> None:
    # RLIMIT_DATA rather than RLIMIT_AS: libraries reserve far more address space than they use.
    _, hard_limit = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (size, hard_limit))
