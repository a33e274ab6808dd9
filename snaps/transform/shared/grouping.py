"""Groups of rows by key with the values of functions; groups beyond the memory go to disk.

Once the memory is full, only rows of groups that are in memory are added there. The others are
split by the hash of their keys, and each part is grouped in the same way at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from engine.sdk import (
    PARTITIONS,
    Column,
    ExecutionError,
    ExternalSort,
    Gauge,
    Partitions,
    SortOrder,
    Value,
    exact_decimals,
)
from snaps.transform.shared.aggregates import Function

_BYTES_PER_GROUP = 200

Group = tuple[int, tuple[Value, ...], list[Value]]
"""The number of its first row, the values by which rows are grouped, and the results."""


class Groups:
    """Collects rows. `make_functions` makes new functions, one for each column of values."""

    def __init__(
        self, make_functions: Callable[[], list[Function]], memory: int, level: int = 0
    ) -> None:
        self._make_functions = make_functions
        self._functions = make_functions()
        self._memory = memory
        self._level = level
        self._per_group = _BYTES_PER_GROUP + sum(each.bytes_per_group for each in self._functions)
        self._gauge = Gauge()
        self._size = 0
        self._groups: dict[Any, tuple[int, tuple[Value, ...]]] = {}
        self._elsewhere: Partitions | None = None

    def add(
        self, keys: list[Any], numbers: list[int], by: list[Column], columns: list[Column]
    ) -> None:
        """Add rows: their keys and numbers, the columns that they are grouped by, and values."""
        distinct = dict.fromkeys(keys)
        new = [key for key in distinct if key not in self._groups]
        if new and self._elsewhere is not None:
            keys, columns = self._put_elsewhere(keys, numbers, by, columns)
        elif new:
            self._begin_groups(new, keys, numbers, by)
        try:
            with exact_decimals():
                for function, column in zip(self._functions, columns, strict=True):
                    self._size += function.take(keys, column)
        except ArithmeticError:
            raise ExecutionError("a sum has more digits than a number may have (4,300)") from None
        if self._size >= self._memory * 3 // 4 and self._elsewhere is None:
            self._elsewhere = Partitions(self._memory // 8, self._level)

    def _begin_groups(
        self, new: list[Any], keys: list[Any], numbers: list[int], by: list[Column]
    ) -> None:
        rows = list(zip(numbers, *by, strict=True))
        first = dict(zip(reversed(keys), reversed(rows), strict=True))
        for key in new:
            number, *values = first[key]
            self._groups[key] = number, tuple(values)
        self._size += self._gauge.bytes_of(new) + self._per_group * len(new)

    def _put_elsewhere(
        self, keys: list[Any], numbers: list[int], by: list[Column], columns: list[Column]
    ) -> tuple[list[Any], list[Column]]:
        """Put rows of other groups on disk. Returns the keys and columns of the remaining rows."""
        assert self._elsewhere is not None  # the caller has looked
        here: list[int] = []
        elsewhere: list[int] = []
        for place, key in enumerate(keys):
            (here if key in self._groups else elsewhere).append(place)
        rows = [
            (
                keys[place],
                numbers[place],
                [column[place] for column in by],
                [column[place] for column in columns],
            )
            for place in elsewhere
        ]
        self._elsewhere.add([keys[place] for place in elsewhere], rows)
        return [keys[place] for place in here], [[col[place] for place in here] for col in columns]

    def complete(self, keys: list[Any]) -> Iterator[Group]:
        """The results of groups that get no more rows; they are forgotten."""
        for key in keys:
            number, values = self._groups.pop(key)
            yield number, values, [function.result(key) for function in self._functions]
            for function in self._functions:
                function.forget(key)

    @property
    def keys(self) -> list[Any]:
        """The keys of the groups in memory, by their first rows."""
        return list(self._groups)

    def results(self) -> Iterator[Group]:
        """All groups, by their first rows."""
        for key, (number, values) in self._groups.items():
            yield number, values, [function.result(key) for function in self._functions]
        if self._elsewhere is None:
            return
        self._groups, self._functions = {}, []
        later = ExternalSort(SortOrder((False,)), _numbers_of, self._memory // 4)
        try:
            for number in range(PARTITIONS):
                self._group_partition(number, later)
            for groups in later.sorted():
                yield from groups
        finally:
            later.close()

    def _group_partition(self, number: int, later: ExternalSort) -> None:
        assert self._elsewhere is not None  # the caller has looked
        part = Groups(self._make_functions, self._memory // 2, self._level + 1)
        for block in self._elsewhere.blocks(number):
            keys, numbers, by, values = map(list, zip(*block, strict=True))
            part.add(keys, numbers, _transposed(by), _transposed(values))
        waiting: list[Group] = []
        for group in part.results():
            waiting.append(group)
            if len(waiting) >= 1024:
                later.add(waiting, _numbers_of(waiting))
                waiting = []
        if waiting:
            later.add(waiting, _numbers_of(waiting))
        part.close()

    def close(self) -> None:
        self._groups = {}
        if self._elsewhere is not None:
            self._elsewhere.close()


def numbers_from(counter: count[int], length: int) -> list[int]:
    """The next numbers of rows."""
    return [next(counter) for _ in range(length)]


def _transposed(rows: list[list[Value]]) -> list[Column]:
    return list(map(list, zip(*rows, strict=True)))


def _numbers_of(groups: list[Group]) -> list[Column]:
    return [[group[0] for group in groups]]
