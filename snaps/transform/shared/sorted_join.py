"""Joins two inputs that are sorted by their keys, by walking through both at once.

Only the right documents of one key are kept. An input that is ahead waits in a queue that continues
on disk, so neither has to arrive before the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sdk import (
    Batch,
    Document,
    SpilledList,
)
from snaps.transform.shared.hash_join import JoinRules
from snaps.transform.shared.joined_fields import ClashNames
from snaps.transform.shared.ordered_keys import Key
from snaps.transform.shared.sorted_input import SortedInput

_EMITTED = 512
_KEPT_AS_LIST = 1024


class SortedJoin:
    """The join of one right input."""

    def __init__(
        self, rules: JoinRules, left: SortedInput, right: SortedInput, memory: int
    ) -> None:
        self._rules = rules
        self._left = left
        self._right = right
        self._memory = memory
        self._clashes = ClashNames(rules.view)
        self._first_left: tuple[str, ...] = ()
        self._group = _Group(memory)
        self._all_arrived = False
        self._merged: list[Document] = []
        self._ended: list[Document] = []

    def left(self, batch: Batch) -> Iterator[Batch]:
        if batch.items and not self._first_left:
            self._first_left = tuple(batch.items[0])
        self._left.put(batch)
        return self._walk()

    def right(self, batch: Batch) -> Iterator[Batch]:
        self._right.put(batch)
        return self._walk()

    def finish(self) -> Iterator[Batch]:
        self._all_arrived = True
        yield from self._walk()
        while self._next_group():
            yield from self._passed_on(_EMITTED)
        yield from self._passed_on(1)

    def close(self) -> None:
        self._left.close()
        self._right.close()
        self._group.close()

    def _walk(self) -> Iterator[Batch]:
        """Go on as far as the documents that have arrived allow."""
        left = self._left
        comes_before = left.comes_before
        while left.load():
            key = left.key
            if key is not None:
                while not self._group.complete or comes_before(self._group.key, key):
                    if not self._next_group():
                        break
                if not self._group.complete and not self._all_arrived:
                    break
            if key is not None and key == self._group.key:
                yield from self._match(left.document)
            elif self._rules.keeps_left:
                self._merged.append(left.document)
            else:
                self._ended.append(left.document)
            left.advance()
            yield from self._passed_on(_EMITTED)
        yield from self._passed_on(1)

    def _match(self, document: Document) -> Iterator[Batch]:
        self._group.matched = True
        for block in self._group.blocks():
            for right in block:
                self._merged.append(self._clashes.merged(document, right))
            yield from self._passed_on(_EMITTED)

    def _next_group(self) -> bool:
        """Replace the group by that of the next key. Returns whether it is complete."""
        group, right = self._group, self._right
        if group.complete:
            self._end_group()
            group = self._group
        while right.load():
            key = right.key
            if key is None:
                if self._rules.keeps_right:
                    self._merged.append(self._clashes.renamed(self._first_left, right.document))
            elif group.key is None or key == group.key:
                group.add(key, right.document)
            else:
                break
            right.advance()
        else:
            if not self._all_arrived:
                return False
        group.complete = group.key is not None
        return group.complete

    def _end_group(self) -> None:
        if self._rules.keeps_right and not self._group.matched:
            for block in self._group.blocks():
                self._merged += [self._clashes.renamed(self._first_left, each) for each in block]
        self._group.close()
        self._group = _Group(self._memory)

    def _passed_on(self, least: int) -> Iterator[Batch]:
        """What has been merged, if it is at least so much; left documents that ended here end."""
        if len(self._ended) >= least:
            ended, self._ended = self._ended, []
            self._rules.end(ended, [frozenset()] * len(ended))
        if len(self._merged) >= least:
            merged, self._merged = self._merged, []
            yield Batch(merged)


class _Group:
    """The right documents of one key."""

    __slots__ = ("_memory", "_rows", "_spilled", "complete", "key", "matched")

    def __init__(self, memory: int) -> None:
        self.key: Any = None  # that of its documents, once there is one
        self.complete = False
        self.matched = False
        self._memory = memory
        self._rows: list[Document] = []
        self._spilled: SpilledList | None = None

    def add(self, key: Key, document: Document) -> None:
        self.key = key
        self._rows.append(document)
        if len(self._rows) >= _KEPT_AS_LIST:
            if self._spilled is None:
                self._spilled = SpilledList(self._memory)
            self._spilled.add(self._rows)
            self._rows = []

    def blocks(self) -> Iterator[list[Document]]:
        if self._spilled is not None:
            yield from self._spilled
        if self._rows:
            yield self._rows

    def close(self) -> None:
        if self._spilled is not None:
            self._spilled.close()
