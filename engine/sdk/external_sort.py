"""Sorts any number of rows, stably: sorted runs go to a temporary file and are merged.

Rows are sorted by columns of values, in Python's own sort. The merge works in blocks, too: it loads
a block of each run, takes the rows that cannot be preceded by any row that is still on disk, and
sorts these, which is quick, since they are few sorted pieces. So no row costs a step in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from engine.sdk.memory import Gauge
from engine.sdk.ordering import Column, kind_of_column, orderable
from engine.sdk.spill_file import Place, SpillFile

Columns = list[Column]
ColumnsOf = Callable[[list[Any]], Columns]

_BLOCKS_IN_MEMORY = 32
_LARGEST_BLOCK = 1 << 20
_EMITTED = 256
_BYTES_PER_KEY = 72
"""What sorting takes for each value of a row: its place in lists, and an integer."""


class SortOrder(msgspec.Struct, frozen=True):
    """The direction of each column, and whether null comes last when ascending."""

    descending: tuple[bool, ...]
    null_greater: bool = False


class ExternalSort:
    """Collects rows and returns them sorted. `columns_of` gives the values to sort rows by."""

    def __init__(self, order: SortOrder, columns_of: ColumnsOf, memory: int) -> None:
        self._order = order
        self._columns_of = columns_of
        self._memory = memory
        self._block = max(1, min(_LARGEST_BLOCK, memory // _BLOCKS_IN_MEMORY))
        self._fan_in = max(2, memory // (4 * self._block))
        self._gauge = Gauge()
        self._file = SpillFile()
        self._runs: list[_Run] = []
        self._kinds: list[Any] = []
        self._begin()

    def _begin(self) -> None:
        self._rows: list[Any] = []
        self._columns: Columns = [[] for _ in self._order.descending]
        self._size = 0

    def add(self, rows: list[Any], columns: Columns) -> None:
        """Add rows with their values, which are what `columns_of` gives for them."""
        self._rows += rows
        for own, more in zip(self._columns, columns, strict=True):
            own += more
        self._size += self._gauge.bytes_of(rows) + _BYTES_PER_KEY * len(rows) * len(columns)
        if self._size >= self._memory:
            self._spill()

    def sorted(self) -> Iterator[list[Any]]:
        """All rows in order, in lists of moderate length."""
        if not self._runs:
            rows, columns = self._rows, self._columns
            self._begin()
            yield from _pieces(self._in_order(rows, columns), _EMITTED)
            return
        if self._rows:
            self._spill()
        while len(self._runs) > self._fan_in:
            self._merge_groups()
        yield from self._merged(self._runs, self._file)

    def close(self) -> None:
        self._begin()
        self._file.close()

    def _in_order(self, rows: list[Any], columns: Columns) -> list[Any]:
        kinds = [kind_of_column(column) for column in columns]
        self._kinds = _together(self._kinds, kinds)
        places = self._sorted_places(self._orderable(columns, kinds), len(rows))
        return [rows[place] for place in places]

    def _orderable(self, columns: Columns, kinds: Sequence[Any]) -> Columns:
        null_greater = self._order.null_greater
        return [
            orderable(column, kind, null_greater=null_greater)
            for column, kind in zip(columns, kinds, strict=True)
        ]

    def _sorted_places(self, columns: Columns, count: int) -> list[int]:
        """The places of the rows in order. The last column is sorted first: Python's sort is
        stable in both directions."""
        places = list(range(count))
        for column, descending in reversed(list(zip(columns, self._order.descending, strict=True))):
            places.sort(key=column.__getitem__, reverse=descending)
        return places

    # Runs

    def _spill(self) -> None:
        rows, columns, size = self._rows, self._columns, self._size
        self._begin()
        length = max(1, len(rows) * self._block // size)
        pieces = _pieces(self._in_order(rows, columns), length)
        self._runs.append(_Run(list(map(self._file.write, pieces)), length))

    def _merge_groups(self) -> None:
        """Merge neighbouring runs, so that fewer remain; rows that are equal keep their order."""
        before, after = self._file, SpillFile()
        runs = []
        for start in range(0, len(self._runs), self._fan_in):
            group = self._runs[start : start + self._fan_in]
            length = max(run.length for run in group)
            pieces = _joined(self._merged(group, before), length)
            runs.append(_Run(list(map(after.write, pieces)), length))
        before.close()
        self._file, self._runs = after, runs

    def _merged(self, runs: Sequence[_Run], file: SpillFile) -> Iterator[list[Any]]:
        heads = [_Head(run, file, self._load) for run in runs]
        while heads := [head for head in heads if head.fill()]:
            if len(heads) == 1:
                yield from heads[0].rest()
                return
            yield from _pieces(self._next_rows(heads), _EMITTED)

    def _load(self, rows: list[Any]) -> Columns:
        return self._orderable(self._columns_of(rows), self._kinds)

    def _next_rows(self, heads: Sequence[_Head]) -> list[Any]:
        """The loaded rows that no row on disk may precede, in order."""
        limit: _Head | None = None
        for head in heads:
            if head.has_more and (limit is None or self._precedes(head.last, limit.last)):
                limit = head
        last = limit.last if limit is not None else []
        rows: list[Any] = []
        columns: Columns = [[] for _ in self._order.descending]
        is_earlier = True  # rows equal to the limit: only of earlier runs, and of its own
        for head in heads:
            count = len(head.rows) if limit is None else self._count(head, last, is_earlier)
            if head is limit:
                is_earlier = False
            taken, values = head.take(count)
            rows += taken
            for own, more in zip(columns, values, strict=True):
                own += more
        return [rows[place] for place in self._sorted_places(columns, len(rows))]

    def _count(self, head: _Head, last: Sequence[Any], with_equal: bool) -> int:
        """How many rows of a block come before a row with the values `last`, by bisection."""
        low, high = 0, len(head.rows)
        while low < high:
            middle = (low + high) // 2
            row = head.values_at(middle)
            is_before = not self._precedes(last, row) if with_equal else self._precedes(row, last)
            low, high = (middle + 1, high) if is_before else (low, middle)
        return low

    def _precedes(self, left: Sequence[Any], right: Sequence[Any]) -> bool:
        for a, b, descending in zip(left, right, self._order.descending, strict=True):
            if a != b:
                return bool(b < a if descending else a < b)
        return False


class _Run(msgspec.Struct):
    """Sorted blocks in a file, of at most `length` rows."""

    places: list[Place]
    length: int


class _Head:
    """The rows of a run that are loaded, and the way to the next ones."""

    def __init__(self, run: _Run, file: SpillFile, load: Callable[[list[Any]], Columns]) -> None:
        self._places = iter(run.places)
        self._left = len(run.places)
        self._file = file
        self._load = load
        self.rows: list[Any] = []
        self.columns: Columns = []

    @property
    def has_more(self) -> bool:
        return self._left > 0

    @property
    def last(self) -> list[Any]:
        return self.values_at(-1)

    def values_at(self, place: int) -> list[Any]:
        return list(map(itemgetter(place), self.columns))

    def fill(self) -> bool:
        """Load the next block if none is loaded. Returns whether there are rows."""
        if not self.rows and self._left:
            self._left -= 1
            self.rows = self._file.read(next(self._places))
            self.columns = self._load(self.rows)
        return bool(self.rows)

    def take(self, count: int) -> tuple[list[Any], Columns]:
        taken, self.rows = self.rows[:count], self.rows[count:]
        values = [column[:count] for column in self.columns]
        self.columns = [column[count:] for column in self.columns]
        return taken, values

    def rest(self) -> Iterator[list[Any]]:
        yield self.rows
        for place in self._places:
            yield self._file.read(place)


def _together(kinds: Sequence[Any], more: list[Any]) -> list[Any]:
    """The kinds of columns that continue; None where they differ."""
    if not kinds:
        return more
    return [kind if kind == other else None for kind, other in zip(kinds, more, strict=True)]


def _pieces(rows: list[Any], length: int) -> Iterator[list[Any]]:
    for start in range(0, len(rows), length):
        yield rows[start : start + length]


def _joined(pieces: Iterator[list[Any]], length: int) -> Iterator[list[Any]]:
    """The same rows, in pieces of that length."""
    waiting: list[Any] = []
    for rows in pieces:
        waiting += rows
        if len(waiting) >= length:
            yield waiting[:length]
            del waiting[:length]
    yield from _pieces(waiting, length)
