"""A snap that ends its output when it has put out enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.documents import Batch, Item
from engine.preview.quotas import Quota
from engine.sdk.results import Emission, To
from engine.sdk.snap import Snap


class Limited(Snap[Any]):
    """Goes before the class of a snap whose documents come from outside of the pipeline.

    A failure after its output has ended is one of the interruption, so it does not count.
    """

    quota: Quota

    def start(self) -> Iterable[Item | To]:
        return self._items(super().start())

    def process_batch(self, view: str, batch: Batch) -> Emission:
        if self.quota.is_full:
            return ()
        self.quota.taken += sum(len(item) for item in batch.items if isinstance(item, bytes))
        return self._batches(super().process_batch(view, batch))

    def finish(self) -> Iterable[Item | To | Batch]:
        return () if self.quota.is_full else self._items(super().finish())

    def _batches(self, emission: Emission) -> Iterator[Mapping[str, Batch]]:
        if isinstance(emission, Batch):
            emission = {self.default_output: emission}
        remaining = iter((emission,) if isinstance(emission, Mapping) else emission or ())
        while (batches := self._next(remaining)) is not None:
            yield {view: self.quota.take(batch) for view, batch in batches.items()}
            if self._has_ended():
                return
        self._has_ended()  # it may have taken enough without putting anything out

    def _items(self, items: Iterable[Any]) -> Iterator[Any]:
        remaining = iter(items or ())
        while (item := self._next(remaining)) is not None:
            if isinstance(item, Batch):
                yield self.quota.take(item)
            else:
                self.quota.count(Batch([item.item if isinstance(item, To) else item]))
                yield item
            if self._has_ended():
                return

    def _next(self, remaining: Iterator[Any]) -> Any:
        try:
            return next(remaining, None)
        except Exception:
            if self.quota.is_full:
                return None
            raise

    def _has_ended(self) -> bool:
        if self.quota.is_full:
            self.quota.end()
            return True
        return False
