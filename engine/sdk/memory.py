"""How much memory documents take, measured in bytes and at little cost.

Walking through every object takes as long as handling the documents. So that is done for a batch
now and then, which gives the ratio of memory to the length of an encoding; the other batches are
only encoded, by C code. A batch whose documents are much longer or shorter than those of the last
measured one is measured itself.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from typing import Any

import msgspec

from engine.sdk.quantities import parse_size
from engine.sdk.settings import Issue, setting

_MEASURED_EVERY = 64
_SIMILAR = 1.5
_LEAST_USEFUL = 65_536
_ALIGNED = 16
_encode = msgspec.msgpack.Encoder().encode


def memory_setting() -> Any:
    """The setting `memory` of a snap that writes to temporary files what goes beyond it."""
    return setting(
        default="256 MiB",
        help="Memory for documents that are kept, such as `512 MiB`; what goes beyond it is "
        "written to temporary files. Their folder is that of `TMPDIR`.",
    )


def check_memory(memory: int | str) -> Iterable[Issue]:
    try:
        size = parse_size(memory)
    except ValueError as error:
        yield Issue(("memory",), str(error))
        return
    if size < _LEAST_USEFUL and isinstance(memory, int):
        yield Issue(
            ("memory",),
            f"memory of {memory} bytes makes the snap work on disk, which is slow",
            f"add the unit: '{memory} MiB'",
            code="unclear-setting",
            severity="warning",
        )


class Gauge:
    """Measures batches of similar documents."""

    __slots__ = ("_left", "_length", "_ratio")

    def __init__(self) -> None:
        self._ratio = 0.0
        self._length = 0.0
        self._left = 0

    def bytes_of(self, items: list[Any]) -> int:
        """About the memory that these items take."""
        if not items:
            return 0
        try:
            encoded = len(_encode(items))
        except (TypeError, ValueError, OverflowError):  # such as an integer of more than 64 bits
            return deep_size(items)
        length = encoded / len(items)
        is_similar = self._length / _SIMILAR < length < self._length * _SIMILAR
        if self._left > 0 and is_similar:
            self._left -= 1
            return int(encoded * self._ratio)
        size = deep_size(items)
        self._ratio, self._length, self._left = size / encoded, length, _MEASURED_EVERY
        return size


def deep_size(items: list[Any]) -> int:
    """The memory of all objects in some items, as Python's allocator rounds their sizes up.

    What several of them share counts once.
    """
    sizes: dict[int, int] = {}
    level = items
    while level:
        sizes.update(zip(map(id, level), map(sys.getsizeof, level), strict=True))
        containers = [item for item in level if item.__class__ in _CONTAINERS]
        level = gc.get_referents(*containers)
    return sum(-(-size // _ALIGNED) * _ALIGNED for size in sizes.values())


_CONTAINERS = frozenset({dict, list, tuple})
