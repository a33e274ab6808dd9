"""Tests on the type and shape of a value, for `instanceof` and `match`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime
from engine.expressions.operators import same
from engine.expressions.regexes import Regex
from engine.expressions.values import NUMBERS, to_number


def _is(*classes: type) -> Callable[[Any], bool]:
    return lambda value: value.__class__ in classes


INSTANCE_TESTS: dict[str, Callable[[Any], bool]] = {
    "Null": lambda value: value is None,
    "Boolean": _is(bool),
    "String": _is(str),
    "Number": _is(int, Decimal, float),
    "Object": _is(dict),
    "Array": _is(list),
    "Date": _is(DateTime, datetime),
    "DateTime": _is(DateTime, datetime),
    "LocalDate": _is(LocalDate, date),
    "LocalDateTime": _is(LocalDateTime),
    "LocalTime": _is(LocalTime, time),
}


def matches_literal(value: Any, wanted: Any) -> bool:
    """Whether both are equal and of the same type."""
    if wanted is None:
        return value is None
    return same(value, wanted)


def in_range(value: Any, low: Any, high: Any, closed: bool) -> bool:
    """Whether a number is between numbers, or a string between strings."""
    if value.__class__ is str:
        if low.__class__ is not str or high.__class__ is not str:
            return False
    elif value.__class__ not in NUMBERS or str in (low.__class__, high.__class__):
        return False
    else:
        value = to_number(value)
        if value != value:
            return False
    return bool(low <= value and (value <= high if closed else value < high))


def matches_regex(value: Any, wanted: Regex) -> bool:
    return value.__class__ is str and wanted.test(value)


def is_array_of(value: Any, count: int, more: bool) -> bool:
    """Whether it is an array of `count` elements, or of at least that many."""
    if value.__class__ is not list:
        return False
    return len(value) >= count if more else len(value) == count


def elements_from(value: list[Any], start: int) -> list[Any]:
    return value[start:]


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in names}
