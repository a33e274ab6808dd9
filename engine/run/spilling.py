"""A queue of batches that continues on disk."""

from __future__ import annotations

import pickle
from collections import deque

from engine.documents import Batch
from engine.run.queues import Queue
from engine.sdk.spill_file import Place, SpillFile

SPILL_AFTER = 64
"""Batches that a spilling view keeps in memory before it writes to disk."""

SPILL_BYTES = 32 << 20
"""The same in bytes, by what the first document of each batch takes."""


class SpillingQueue(Queue):
    """A queue that is never full: beyond its limit, batches go to a temporary file, in order."""

    def __init__(self, limit: int = SPILL_AFTER) -> None:
        super().__init__(limit)
        self._file = SpillFile()
        self._places: deque[Place] = deque()
        self._sizes: deque[int] = deque()
        self._held = 0

    @property
    def full(self) -> bool:
        return False

    def __len__(self) -> int:
        return len(self._batches) + len(self._places)

    def put(self, batch: Batch) -> None:
        if not self._places and len(self._batches) < self._limit and self._held < SPILL_BYTES:
            self._batches.append(batch)
            self._sizes.append(_size_of(batch))
            self._held += self._sizes[-1]
            return
        self._places.append(self._file.write((batch.items, batch.lineage)))

    def take(self) -> Batch:
        if self._batches:
            self._held -= self._sizes.popleft()
            return self._batches.popleft()
        batch = Batch(*self._file.read(self._places.popleft()))
        if not self._places:
            self._file.clear()
        return batch

    def close(self) -> None:
        super().close()
        self._places.clear()
        self._file.close()


def _size_of(batch: Batch) -> int:
    """The approximate size of a batch in bytes, from that of its first item."""
    return len(pickle.dumps(batch.items[0], pickle.HIGHEST_PROTOCOL)) * len(batch)
