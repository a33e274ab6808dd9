"""A queue of batches in front of an input view."""

from __future__ import annotations

from collections import deque

from engine.documents import Batch
from engine.sdk.results import BATCH_SIZE

IN_FLIGHT = 2
"""Batches queued for a view; with more, documents fall out of the processor's cache."""


class Queue:
    """The batches queued for one view."""

    def __init__(self, limit: int = IN_FLIGHT) -> None:
        self._batches: deque[Batch] = deque()
        self._limit = limit
        self.open = True

    @property
    def full(self) -> bool:
        return len(self._batches) >= self._limit

    def __len__(self) -> int:
        return len(self._batches)

    def put(self, batch: Batch) -> None:
        last = self._batches[-1] if self._batches else None
        joined = None if last is None else _joined(last, batch)
        if joined is None:
            self._batches.append(batch)
        else:
            self._batches[-1] = joined

    def take(self) -> Batch:
        return self._batches.popleft()

    def close(self) -> None:
        """Discard the queued batches and release the disk space."""
        self._batches.clear()


def _joined(first: Batch, second: Batch) -> Batch | None:
    """Two small queued batches of an ultra task as one, to be processed together."""
    if first.lineage is None or second.lineage is None:
        return None
    if first.__class__ is not Batch:  # it is in process already
        return None
    if len(first) + len(second) > BATCH_SIZE or first.items[0].__class__ is not dict:
        return None
    return first.followed_by(second)
