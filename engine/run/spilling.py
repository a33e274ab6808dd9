"""A queue of batches that continues on disk."""

from __future__ import annotations

import pickle
import tempfile
from collections import deque
from typing import IO

from engine.documents import Batch
from engine.errors import ExecutionError
from engine.run.queues import Queue

SPILL_AFTER = 64
"""Batches that a spilling view keeps in memory before it writes to disk."""

SPILL_BYTES = 32 << 20
"""The same in bytes, by what the first document of each batch takes."""


class SpillingQueue(Queue):
    """A queue that is never full: beyond its limit, batches go to a temporary file, in order."""

    def __init__(self, limit: int = SPILL_AFTER) -> None:
        super().__init__(limit)
        self._file: IO[bytes] | None = None
        self._read_at = 0
        self._on_disk = 0
        self._sizes: deque[int] = deque()
        self._held = 0

    @property
    def full(self) -> bool:
        return False

    def __len__(self) -> int:
        return len(self._batches) + self._on_disk

    def put(self, batch: Batch) -> None:
        if not self._on_disk and len(self._batches) < self._limit and self._held < SPILL_BYTES:
            self._batches.append(batch)
            self._sizes.append(_size_of(batch))
            self._held += self._sizes[-1]
            return
        try:
            self._write(batch)
        except OSError as error:
            raise ExecutionError(
                f"could not write waiting documents to disk: {error.strerror}; "
                f"free space in {tempfile.gettempdir()!r}, or set TMPDIR to another folder"
            ) from error
        self._on_disk += 1

    def take(self) -> Batch:
        if self._batches:
            self._held -= self._sizes.popleft()
            return self._batches.popleft()
        assert self._file is not None  # len() is not 0, so the rest is on disk
        self._file.seek(self._read_at)
        batch = Batch(*pickle.load(self._file))  # written by `put` just above
        self._read_at = self._file.tell()
        self._on_disk -= 1
        if not self._on_disk:
            self._file.seek(0)
            self._file.truncate()
            self._read_at = 0
        return batch

    def _write(self, batch: Batch) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="snapline-spill-")  # noqa: SIM115
        self._file.seek(0, 2)
        pickle.dump((batch.items, batch.lineage), self._file, pickle.HIGHEST_PROTOCOL)
        self._file.flush()

    def close(self) -> None:
        super().close()
        self._on_disk = 0
        if self._file is not None:
            self._file.close()
            self._file = None


def _size_of(batch: Batch) -> int:
    """About what a batch takes, by its first item."""
    return len(pickle.dumps(batch.items[0], pickle.HIGHEST_PROTOCOL)) * len(batch)
