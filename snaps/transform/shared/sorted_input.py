"""An input that is sorted by its keys, as far as it has arrived."""

from __future__ import annotations

from engine.sdk import Batch, Column, Columns, Document, SpillingRows
from snaps.transform.shared.ordered_keys import Key, OrderedKeys


class SortedInput:
    """The documents of one input with their keys, in order, as far as they have arrived."""

    def __init__(
        self,
        view: str,
        columns: Columns,
        *,
        descending: bool,
        null_greater: bool = False,
        null_matches: bool = False,
        memory: int,
        advice: str,
    ) -> None:
        self._ordered = OrderedKeys(
            view,
            descending=descending,
            null_greater=null_greater,
            advice=advice,
        )
        self.comes_before = self._ordered.comes_before
        self._null_matches = null_matches
        self._columns = columns
        self._waiting = SpillingRows(memory)
        self._documents: list[Document] = []
        self._keys: list[Key | None] = []
        self._place = 0

    def put(self, batch: Batch) -> None:
        batch, columns = self._columns.of_batch(batch)
        if batch.items:
            self._waiting.put([batch.items, columns])

    def load(self) -> bool:
        """Make sure that a document is loaded. Returns whether there is one."""
        if self._place < len(self._documents):
            return True
        if not self._waiting:
            return False
        self._documents, columns = self._waiting.take()
        self._place = 0
        self._keys = self._keys_of(columns)
        return True

    @property
    def document(self) -> Document:
        return self._documents[self._place]

    @property
    def key(self) -> Key | None:
        """None if a value is null and null matches nothing."""
        return self._keys[self._place]

    def advance(self) -> None:
        self._place += 1

    def _keys_of(self, columns: list[Column]) -> list[Key | None]:
        keys = self._ordered.of(columns)
        if self._null_matches or not any(None in column for column in columns):
            return [*keys]
        values = zip(*columns, strict=True)
        return [None if None in row else key for row, key in zip(values, keys, strict=True)]

    def close(self) -> None:
        self._waiting.close()
