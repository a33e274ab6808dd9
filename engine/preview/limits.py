"""A snap that ends its output when it has put out enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.documents import Batch, Item, StreamStart
from engine.preview.quotas import Quota
from engine.run.context import SnapContext
from engine.sdk.results import Emission, To
from engine.sdk.snap import Snap
from engine.sdk.stream_snap import StreamSnap


class Limited(Snap[Any]):
    """Goes before the class of a snap whose documents come from outside of the pipeline.

    As it is mixed into any class, the names of its own are private or begin with `preview`.
    A failure after its output has ended is one of the interruption, so it does not count.
    """

    preview_quota: Quota

    def start(self) -> Iterable[Item | To]:
        return self.__items(super().start())

    def process_batch(self, view: str, batch: Batch) -> Emission:
        if self.preview_quota.is_full:
            return ()
        self.__note_size(batch)
        if self.__has_ended():
            return ()
        return self.__batches(super().process_batch(view, batch))

    def __note_size(self, batch: Batch) -> None:
        size = sum(len(item) for item in batch.items if isinstance(item, bytes))
        self.preview_quota.taken += size
        if any(isinstance(item, StreamStart) for item in batch.items):
            self.preview_quota.skipped = 0
        elif isinstance(self, StreamSnap) and not self.is_reading:
            self.preview_quota.skipped += size

    def finish(self) -> Iterable[Item | To | Batch]:
        return () if self.preview_quota.is_full else self.__items(super().finish())

    def __batches(self, emission: Emission) -> Iterator[Mapping[str, Batch]]:
        if isinstance(emission, Batch):
            emission = {self.default_output: emission}
        remaining = iter((emission,) if isinstance(emission, Mapping) else emission or ())
        while (batches := self.__next(remaining)) is not None:
            yield {view: self.preview_quota.take(batch) for view, batch in batches.items()}
            if self.__has_ended():
                return
        self.__has_ended()  # it may have taken enough without putting anything out

    def __items(self, items: Iterable[Any]) -> Iterator[Any]:
        remaining = iter(items or ())
        while (item := self.__next(remaining)) is not None:
            if isinstance(item, Batch):
                yield self.preview_quota.take(item)
            else:
                self.preview_quota.count(Batch([item.item if isinstance(item, To) else item]))
                yield item
            if self.__has_ended():
                return

    def __next(self, remaining: Iterator[Any]) -> Any:
        try:
            return next(remaining, None)
        except Exception:  # after an interruption a snap may raise anything
            if self.preview_quota.is_full:
                return None
            raise

    def __has_ended(self) -> bool:
        assert isinstance(self.context, SnapContext)  # a preview is a run
        self.preview_quota.errors = self.context.statistics.errors
        if self.preview_quota.is_full:
            self.preview_quota.end()
            return True
        return False
