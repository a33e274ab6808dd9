"""Follows one document: its number is its lineage, and that of all that comes from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from engine.documents import Batch, Item
from engine.sdk.results import Emission, To
from engine.sdk.snap import Snap


class Followed(msgspec.Struct, frozen=True):
    """Document `number` of those that leave the snap, or that its open input gets."""

    label: str
    number: int
    is_input: bool


class Numbered(Snap[Any]):
    """Goes before the class of the snap where documents get their numbers."""

    at_input = False
    __count = 0

    def start(self) -> Iterable[Item | To]:
        return self.__items(super().start())

    def process_batch(self, view: str, batch: Batch) -> Emission:
        if self.at_input:
            return super().process_batch(view, self.__numbered(batch))
        return self.__batches(super().process_batch(view, batch))

    def finish(self) -> Iterable[Item | To | Batch]:
        return self.__items(super().finish())

    def __batches(self, emission: Emission) -> Iterator[Mapping[str, Batch]]:
        if isinstance(emission, Batch):
            emission = {self.default_output: emission}
        for batches in (emission,) if isinstance(emission, Mapping) else emission or ():
            yield {view: self.__numbered(batch) for view, batch in batches.items()}

    def __items(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items or ():
            if self.at_input or not isinstance(item, dict | Batch):
                yield item
            else:
                yield self.__numbered(item if isinstance(item, Batch) else Batch([item]))

    def __numbered(self, batch: Batch) -> Batch:
        if not batch.items or not isinstance(batch.items[0], dict):
            return batch
        first = self.__count + 1
        self.__count += len(batch)
        return Batch(batch.items, [frozenset((n,)) for n in range(first, self.__count + 1)])
