"""Temporary files for what does not fit in memory: blocks of rows, written once and read back.

The files have no name, so nothing of them remains after the process ends, even if it is killed.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections import deque
from collections.abc import Iterator
from typing import IO, Any

from engine.errors import ExecutionError
from engine.sdk.memory import Gauge

Place = tuple[int, int]
"""Offset and length of a block."""


class SpillFile:
    """A temporary file of blocks. It is created when the first block is written."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0

    def write(self, rows: Any) -> Place:
        """Append a block. Raises ExecutionError if the disk is full."""
        data = pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)
        place = self._end, len(data)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="snapline-spill-", buffering=0)  # noqa: SIM115
            view = memoryview(data)
            while view:
                view = view[os.pwrite(self._file.fileno(), view, self._end) :]
                self._end = place[0] + len(data) - len(view)
        except OSError as error:
            raise ExecutionError(
                f"could not write waiting documents to disk: {error.strerror}; "
                f"free space in {tempfile.gettempdir()!r}, or set TMPDIR to another folder"
            ) from error
        return place

    def read(self, place: Place) -> Any:
        assert self._file is not None  # a place comes from `write`
        offset, length = place
        parts = []
        while length:
            part = os.pread(self._file.fileno(), length, offset)
            if not part:
                raise ExecutionError("a temporary file has become shorter; is its disk failing?")
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return pickle.loads(b"".join(parts))  # written by this process

    def clear(self) -> None:
        """Forget all blocks."""
        if self._file is not None:
            self._file.truncate(0)
        self._end = 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class SpillingRows:
    """A queue of rows that continues on disk: what is put first is taken first."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._held = 0
        self._gauge = Gauge()
        self._blocks: deque[tuple[list[Any], int]] = deque()
        self._places: deque[Place] = deque()
        self._file = SpillFile()

    def __bool__(self) -> bool:
        return bool(self._blocks or self._places)

    def put(self, rows: list[Any]) -> None:
        if not rows:
            return
        if self._places or self._held >= self._memory:
            self._places.append(self._file.write(rows))
            return
        size = self._gauge.bytes_of(rows)
        self._held += size
        self._blocks.append((rows, size))

    def take(self) -> list[Any]:
        """The next block of rows, as it was put."""
        if self._blocks:
            rows, size = self._blocks.popleft()
            self._held -= size
            return rows
        block: list[Any] = self._file.read(self._places.popleft())
        if not self._places:
            self._file.clear()
        return block

    def close(self) -> None:
        self._blocks.clear()
        self._places.clear()
        self._file.close()


class SpilledList:
    """Rows that are kept in order and can be read several times; beyond `memory`, on disk."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._size = 0
        self._gauge = Gauge()
        self._rows: list[Any] = []
        self._places: list[Place] = []
        self._file = SpillFile()

    def add(self, rows: list[Any]) -> None:
        self._rows += rows
        self._size += self._gauge.bytes_of(rows)
        if self._size >= self._memory:
            self._places.append(self._file.write(self._rows))
            self._rows, self._size = [], 0

    def __iter__(self) -> Iterator[list[Any]]:
        """The rows in blocks of at most `memory`."""
        yield from map(self._file.read, self._places)
        if self._rows:
            yield self._rows

    def close(self) -> None:
        self._rows, self._places = [], []
        self._file.close()


PARTITIONS = 64


class Partitions:
    """Rows on disk, split by the hash of a key: those with equal keys are in one partition.

    `level` is 1 for the rows of a partition that are to be split again.
    """

    def __init__(self, memory: int, level: int = 0) -> None:
        self._memory = memory
        self._divisor = PARTITIONS**level
        self._gauge = Gauge()
        self._file = SpillFile()
        self._size = 0
        self._waiting: list[list[Any]] = [[] for _ in range(PARTITIONS)]
        self._places: list[list[Place]] = [[] for _ in range(PARTITIONS)]

    def add(self, keys: list[Any], rows: list[Any]) -> None:
        waiting, divisor = self._waiting, self._divisor
        for key, row in zip(keys, rows, strict=True):
            waiting[hash(key) // divisor % PARTITIONS].append(row)
        self._size += self._gauge.bytes_of(rows)
        if self._size >= self._memory:
            self._flush()

    def blocks(self, number: int) -> Iterator[list[Any]]:
        """The rows of a partition, in the order in which they were added."""
        yield from map(self._file.read, self._places[number])
        if self._waiting[number]:
            yield self._waiting[number]

    def _flush(self) -> None:
        for rows, places in zip(self._waiting, self._places, strict=True):
            if rows:
                places.append(self._file.write(rows))
        self._waiting = [[] for _ in range(PARTITIONS)]
        self._size = 0

    def close(self) -> None:
        self._waiting, self._places = [], []
        self._file.close()
