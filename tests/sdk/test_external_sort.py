"""Sorting rows in memory and in files gives the same result, whatever the values are."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions.dates import LocalDate
from engine.sdk import ExternalSort, SortOrder

TINY = 2000
"""Bytes; so a few rows fill a run, and runs are merged in several levels."""

VALUES: tuple[Any, ...] = (
    None, False, True, -1, 0.1, Decimal("0.1"), 1, Decimal("1.0"), 10**30, LocalDate(2026, 1, 2),
    "B", "a", "é", "\U0001f600", "\ufffd", b"x", [1], [1, 2], {"a": 1}, {"a": None},
)  # fmt: skip
ASCENDING: tuple[tuple[Any, ...], ...] = (
    (None,), (False,), (True,), (-1,), (0.1, Decimal("0.1")), (1, Decimal("1.0")), (10**30,),
    (LocalDate(2026, 1, 2),), ("B",), ("a",), ("é",), ("\U0001f600",), ("\ufffd",), (b"x",),
    ([1],), ([1, 2],), ({"a": None},), ({"a": 1},),
)  # fmt: skip


def position(value: Any) -> int:
    return next(
        place
        for place, equals in enumerate(ASCENDING)
        if any(each.__class__ is value.__class__ and each == value for each in equals)
    )


def expected(rows: list[dict[str, Any]], descending: tuple[bool, ...]) -> list[dict[str, Any]]:
    """By Python's own stable sort, one comparison after the other."""

    def compare(left: dict[str, Any], right: dict[str, Any]) -> int:
        for name, down in zip("xy", descending, strict=False):
            difference = position(left[name]) - position(right[name])
            if difference:
                return -difference if down else difference
        return 0

    return sorted(rows, key=cmp_to_key(compare))


def sort(
    rows: list[dict[str, Any]], order: SortOrder, memory: int, batch: int = 7
) -> list[dict[str, Any]]:
    names = "xy"[: len(order.descending)]

    def columns_of(some: list[dict[str, Any]]) -> list[list[Any]]:
        return [[row[name] for row in some] for name in names]

    external = ExternalSort(order, columns_of, memory)
    try:
        for start in range(0, len(rows), batch):
            some = rows[start : start + batch]
            external.add(some, columns_of(some))
        return [row for piece in external.sorted() for row in piece]
    finally:
        external.close()


def rows_of(values: list[tuple[Any, Any]]) -> list[dict[str, Any]]:
    return [{"number": number, "x": x, "y": y} for number, (x, y) in enumerate(values)]


@pytest.mark.parametrize("memory", [1, TINY, 1 << 30])
@pytest.mark.parametrize("descending", [(False,), (True,), (False, True), (True, True)])
@given(values=st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), max_size=200))
@settings(max_examples=20, deadline=None)
def test_values_of_all_types_have_one_order_and_equal_rows_keep_theirs(
    values: list[tuple[Any, Any]], descending: tuple[bool, ...], memory: int
) -> None:
    rows = rows_of(values)
    assert sort(rows, SortOrder(descending), memory) == expected(rows, descending)


@pytest.mark.parametrize("values", [["b", "a"], [3, Decimal("1.5"), 2], [True, False]])
def test_runs_of_one_type_and_runs_of_several_are_merged(values: list[Any]) -> None:
    numbers = range(200)
    rows = rows_of([(values[number % len(values)], 0) for number in numbers])
    rows += rows_of([(None, 0), ("z", 0), (5, 0)])
    assert sort(rows, SortOrder((False,)), TINY) == sort(rows, SortOrder((False,)), 1 << 30)


def test_null_may_be_greater_than_everything() -> None:
    rows = rows_of([(None, 0), ({"a": 1}, 0), ("a", 0)])
    found = sort(rows, SortOrder((False,), null_greater=True), 1)
    assert [row["x"] for row in found] == ["a", {"a": 1}, None]
