"""Joins documents of several inputs by their position: the first with the first, and so on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.sdk import Batch, Document, SpillingRows
from snaps.transform.shared.joined_fields import ClashNames


class ZippedJoin:
    """Inputs that are ahead wait; at the end, documents without a partner are passed on."""

    def __init__(self, views: Sequence[str], memory: int) -> None:
        self._waiting = {view: SpillingRows(memory // len(views)) for view in views}
        self._loaded: dict[str, list[Document]] = {view: [] for view in views}
        self._clashes = {view: ClashNames(view) for view in views}

    def add(self, view: str, batch: Batch) -> Iterator[Batch]:
        self._waiting[view].put(batch.items)
        while all(self._load(view) for view in self._loaded):
            yield self._next(list(self._loaded))

    def finish(self) -> Iterator[Batch]:
        while views := [view for view in self._loaded if self._load(view)]:
            yield self._next(views)

    def close(self) -> None:
        for waiting in self._waiting.values():
            waiting.close()

    def _load(self, view: str) -> bool:
        if not self._loaded[view] and self._waiting[view]:
            self._loaded[view] = self._waiting[view].take()
        return bool(self._loaded[view])

    def _next(self, views: list[str]) -> Batch:
        """As many documents as are loaded of all these inputs."""
        count = min(len(self._loaded[view]) for view in views)
        first, *others = views
        merged = self._take(first, count)
        for view in others:
            pairs = zip(merged, self._take(view, count), strict=True)
            merged = [self._clashes[view].merged(left, right) for left, right in pairs]
        return Batch(merged)

    def _take(self, view: str, count: int) -> list[Document]:
        loaded = self._loaded[view]
        self._loaded[view] = loaded[count:]
        return loaded[:count]
