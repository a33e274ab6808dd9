"""Joins left documents with those of one right input, which is read first, by a table of keys.

What does not fit in memory goes to disk, split by the hash of the keys, and is joined part by part
at the end; the results are then sorted, so they come in the order of the left documents either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, Literal

from engine.sdk import (
    NO_LINEAGE,
    PARTITIONS,
    Batch,
    Columns,
    Context,
    DataError,
    Document,
    ExecutionError,
    ExternalSort,
    Gauge,
    Lineage,
    Partitions,
    SortOrder,
    excerpt,
    keys_of,
    lineage_at,
    numbers_of,
)
from snaps.transform.shared.joined_fields import ClashNames, JoinTable, Names

Kind = Literal["inner", "left_outer", "outer"]

_BYTES_PER_ROW = 150
"""What a table takes for a document besides the document: its key, and its place in the table."""

_KINDS: dict[type, str] = {
    str: "strings",
    int: "numbers",
    Decimal: "numbers",
    float: "numbers",
    bool: "booleans",
}

_NOWHERE: Lineage = frozenset((0,))
"""The place of a right document that leaves only with left ones, so that nobody asks."""

_by_number = itemgetter(0)


class JoinRules:
    """Where a join reads its keys, and what it does with documents that match nothing.

    `report`: left documents without a match are errors. `first_only`: others match only once.
    """

    def __init__(
        self,
        context: Context,
        view: str,
        left: Columns,
        right: Columns,
        kind: Kind,
        *,
        report: bool = False,
        first_only: bool = False,
    ) -> None:
        self.context = context
        self.view = view
        self.left = left
        self.right = right
        self.kind = kind
        self.report = report
        self.first_only = first_only

    @property
    def keeps_left(self) -> bool:
        return self.kind != "inner"

    @property
    def keeps_right(self) -> bool:
        return self.kind == "outer"

    def new_table(self) -> JoinTable:
        return JoinTable(self.view, first_only=self.first_only)

    def warn_of_types(self, left: list[Any], right: list[Any]) -> None:
        """Show that keys of different types cannot match, judging by one document of each input."""
        for mine, other in zip(left, right, strict=True):
            kinds = [_KINDS.get(value.__class__) for value in (mine, other)]
            if None not in kinds and kinds[0] != kinds[1]:
                self.context.show(
                    f"keys of different types never match: in the left input they are {kinds[0]} "
                    f"such as {excerpt(mine)}, in {self.view!r} {kinds[1]} such as "
                    f"{excerpt(other)}; convert one of them, for example with parseInt or toString"
                )

    def end(self, documents: list[Document], lineage: list[Lineage]) -> None:
        """Drop left documents without a match, or report them."""
        if not self.report:
            self.context.dropped(len(documents), lineage)
            return
        for document, line in zip(documents, lineage, strict=True):
            error = DataError(
                f"no document of the input {self.view!r} matches",
                "its keys are " + excerpt([column[0] for column in self.left.of([document])]),
                "use a left outer join to pass on documents without a match",
            )
            self.context.failed(error, document, line)


class HashJoin:
    """The join of one right input."""

    def __init__(self, rules: JoinRules, memory: int) -> None:
        self._rules = rules
        self._memory = memory
        self._gauge = Gauge()
        self._size = 0
        self._table = rules.new_table()
        self._first_left: Names = ()
        self._matched: set[Any] = set()
        self._rights: list[tuple[Any, Document, Lineage]] = []  # only for an outer join
        self._spilled: _SpilledJoin | None = None
        self._sample: list[Any] = []
        """The keys of the first right document."""

    def right(self, batch: Batch) -> Iterator[Batch]:
        batch, columns = self._rules.right.of_batch(batch)
        keys = join_keys(columns)
        if keys and not self._sample:
            self._sample = [column[0] for column in columns]
        if self._spilled is None:
            self._keep(keys, batch)
        else:
            self._spilled.add_right(keys, batch)
        return iter(())

    def _keep(self, keys: list[Any], batch: Batch) -> None:
        documents = batch.items
        self._table.add(keys, documents)
        if self._rules.keeps_right:
            lineage = batch.lineage or [NO_LINEAGE] * len(documents)
            self._rights += zip(keys, documents, lineage, strict=True)
        self._size += self._gauge.bytes_of(documents) + _BYTES_PER_ROW * len(documents)
        if self._size < self._memory:
            return
        if self._rules.context.in_ultra:
            raise ExecutionError(
                f"the documents of the input {self._rules.view!r} take more than the memory of "
                "the join; in an ultra task they must fit, so raise the setting 'memory'"
            )
        self.spill()

    @property
    def is_spilled(self) -> bool:
        """Whether left documents leave at the end."""
        return self._spilled is not None

    def spill(self) -> None:
        """Go on with both inputs on disk, before the first left document."""
        if self._spilled is not None:
            return
        self._spilled = _SpilledJoin(self._rules, self._memory)
        rows = ((key, each, _NOWHERE) for key, each in self._table.rows())
        rights = iter(self._rights) if self._rules.keeps_right else rows
        while some := list(islice(rights, 1024)):
            keys, documents, lineage = map(list, zip(*some, strict=True))
            self._spilled.add_right(keys, Batch(documents, lineage))
        self._table, self._rights = self._rules.new_table(), []

    def left(self, batch: Batch) -> Iterator[Batch]:
        batch, columns = self._rules.left.of_batch(batch)
        keys = join_keys(columns)
        if batch.items and not self._first_left:
            self._first_left = tuple(batch.items[0])
            is_first = not self._rules.context.is_copy or 0 in batch.lineage_of(0)
            if self._sample and is_first:
                self._rules.warn_of_types([column[0] for column in columns], self._sample)
        if self._spilled is not None:
            self._spilled.add_left(keys, batch)
            return
        if self._rules.keeps_right:
            self._matched.update(keys)
        unmatched: list[int] = []
        documents = batch.items
        joined = self._table.join(documents, keys, unmatched, keep_unmatched=self._rules.keeps_left)
        for merged, positions in joined:
            yield batch.at(positions, merged)
        if unmatched:
            lineage = [batch.lineage_of(position) for position in unmatched]
            self._rules.end([documents[position] for position in unmatched], lineage)

    def finish(self) -> Iterator[Batch]:
        context = self._rules.context
        if context.is_copy and (first := context.first_document(context.inputs[0])) is not None:
            self._first_left = tuple(first)
        if self._spilled is not None:
            yield from self._spilled.results(self._first_left)
        elif self._rules.keeps_right:
            rest = [row for row in self._rights if row[0] is None or row[0] not in self._matched]
            if rest:
                renamed = partial(ClashNames(self._rules.view).renamed, self._first_left)
                lineage = [row[2] for row in rest] if context.is_copy else None
                yield Batch([renamed(row[1]) for row in rest], lineage)

    def close(self) -> None:
        self._rights = []
        if self._spilled is not None:
            self._spilled.close()


class _SpilledJoin:
    """Both sides on disk. Every row has the number of its document, which gives the order."""

    def __init__(self, rules: JoinRules, memory: int) -> None:
        self._rules = rules
        self._memory = memory
        self._lefts = Partitions(memory // 8)
        self._rights = Partitions(memory // 8)
        self._clashes = ClashNames(rules.view)
        self._left_count = self._right_count = 0
        self._results = ExternalSort(SortOrder((False,)), _numbers, memory // 4)
        self._rest = ExternalSort(SortOrder((False,)), _numbers, memory // 8)

    def add_right(self, keys: list[Any], batch: Batch) -> None:
        self._rights.add(keys, self._numbered(self._right_count, keys, batch))
        self._right_count += len(batch)

    def add_left(self, keys: list[Any], batch: Batch) -> None:
        self._lefts.add(keys, self._numbered(self._left_count, keys, batch))
        self._left_count += len(batch)

    def _numbered(self, start: int, keys: list[Any], batch: Batch) -> list[Any]:
        is_copy = self._rules.context.is_copy
        numbers = numbers_of(batch) if is_copy else range(start, start + len(keys))
        return list(zip(numbers, keys, batch.items, strict=True))

    def results(self, first_left: Names) -> Iterator[Batch]:
        for number in range(PARTITIONS):
            self._join_partition(number)
        for rows in self._results.sorted():
            ended = [row for row in rows if not row[2]]
            if ended:
                lineage = self._lineage(ended) or [NO_LINEAGE] * len(ended)
                self._rules.end([row[1] for row in ended], lineage)
            kept = [row for row in rows if row[2]]
            yield Batch([row[1] for row in kept], self._lineage(kept))
        for rows in self._rest.sorted():
            documents = [self._clashes.renamed(first_left, row[1]) for row in rows]
            yield Batch(documents, self._lineage(rows))

    def _lineage(self, rows: list[Any]) -> list[Lineage] | None:
        return lineage_at(row[0] for row in rows) if self._rules.context.is_copy else None

    def _join_partition(self, number: int) -> None:
        matched: set[int] = set()
        for rows in self._tables(number):
            table = self._rules.new_table()
            table.add([row[1] for row in rows], [row[2] for row in rows])
            found: set[Any] = set()
            for block in self._lefts.blocks(number):
                found.update(map(itemgetter(1), block))
                if self._rules.first_only and matched:  # by the table before this one
                    block = [row for row in block if row[0] not in matched]
                matched.update(self._join_block(table, block))
            if self._rules.keeps_right:
                rest = [(row[0], row[2]) for row in rows if row[1] is None or row[1] not in found]
                _add(self._rest, rest)
        for block in self._lefts.blocks(number):
            unmatched = [row for row in block if row[0] not in matched]
            if self._rules.keeps_left or self._rules.report:
                rows = [(each, document, self._rules.keeps_left) for each, _, document in unmatched]
                _add(self._results, rows)
            else:
                self._rules.context.dropped(len(unmatched))

    def _tables(self, number: int) -> Iterator[list[Any]]:
        """The right rows of a partition, as many at a time as fit in memory."""
        gauge, size = Gauge(), 0
        rows: list[Any] = []
        for block in self._rights.blocks(number):
            rows += block
            size += gauge.bytes_of(block) + _BYTES_PER_ROW * len(block)
            if size >= self._memory // 2:
                yield rows
                rows, size = [], 0
        if rows:
            yield rows

    def _join_block(self, table: JoinTable, block: list[Any]) -> Iterator[int]:
        """Add what the rows of a block match; yields the numbers of those that match."""
        unmatched: list[int] = []
        documents, keys = [row[2] for row in block], [row[1] for row in block]
        for merged, positions in table.join(documents, keys, unmatched, keep_unmatched=False):
            numbers = [block[position][0] for position in positions]
            rows = [(each, document, True) for each, document in zip(numbers, merged, strict=True)]
            _add(self._results, rows)
            yield from numbers

    def close(self) -> None:
        for each in (self._lefts, self._rights, self._results, self._rest):
            each.close()


def join_keys(columns: list[list[Any]]) -> list[Any]:
    """A key for each document; None if one of its values is null, as null matches nothing."""
    keys = keys_of(columns)
    if len(columns) == 1 or not any(None in column for column in columns):
        return keys
    return [None if any(value is None for value in key) else key for key in keys]


def _numbers(rows: list[Any]) -> list[list[Any]]:
    return [list(map(_by_number, rows))]


def _add(sort: ExternalSort, rows: list[Any]) -> None:
    if rows:
        sort.add(rows, _numbers(rows))
