"""One total order of the values that documents hold, and their equality as keys.

Ascending: null, booleans, numbers by value, date-times, local date-times, dates, times, strings
by UTF-16 units (as in JavaScript and on the JVM), bytes, lists by their elements, maps by their
fields. Most columns hold values of one kind that Python compares in the same way, so these are left
as they are; the others become tuples of a rank and a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from operator import ne
from typing import Any

from engine.documents import RawJson, Value
from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime
from engine.expressions.utf16 import units

Column = list[Any]
"""One value for each of several documents."""

_STRINGS = frozenset({str})
_NUMBERS = frozenset({int, Decimal})
_DATES = frozenset({DateTime, LocalDateTime, LocalDate, LocalTime})
(
    _NULL,
    _BOOLEAN,
    _NUMBER,
    _NAN,
    _INSTANT,
    _LOCAL,
    _DATE,
    _TIME,
    _STRING,
    _BYTES,
    _LIST,
    _MAP,
    _LAST,
) = range(13)


def kind_of_column(column: Column) -> Any:
    """The kind of all values of a column, if Python orders them as we do; else None."""
    kinds = frozenset(map(type, column))
    if kinds == _STRINGS:
        return str
    if kinds <= _NUMBERS:
        has_nan = Decimal in kinds and any(map(ne, column, column))
        return None if has_nan else Decimal
    if len(kinds) == 1 and kinds <= _DATES:
        return next(iter(kinds))
    return None


def orderable(column: Column, kind: Any, *, null_greater: bool = False) -> Column:
    """The column in a form that Python orders; `kind` is that of all columns to be compared."""
    if kind is str:
        return column if all(map(str.isascii, column)) else list(map(units, column))
    return column if kind is not None else ranked(column, null_greater=null_greater)


def ranked(column: Column, *, null_greater: bool = False) -> list[tuple[Any, ...]]:
    """The values as tuples that Python orders, whatever the values of other columns are."""
    kind = kind_of_column(column)
    if kind is str or kind is Decimal:
        rank = _STRING if kind is str else _NUMBER
        return [(rank, value) for value in orderable(column, kind)]
    null = (_LAST if null_greater else _NULL,)
    return [null if value is None else _ranked(value) for value in column]


def _ranked(value: Value) -> tuple[Any, ...]:
    rank = _RANKS.get(value.__class__)
    if rank is not None:
        return rank(value)
    if isinstance(value, datetime):
        return (_LOCAL if value.tzinfo is None else _INSTANT, value)
    if isinstance(value, date):
        return (_DATE, value)
    if isinstance(value, time):
        return (_TIME, value.replace(tzinfo=None), str(value.utcoffset()))
    raise TypeError(f"documents do not hold values of the type {type(value).__name__!r}")


def _ranked_number(value: Decimal) -> tuple[Any, ...]:
    return (_NAN,) if value.is_nan() else (_NUMBER, value)


_RANKS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    type(None): lambda _: (_NULL,),
    bool: lambda value: (_BOOLEAN, value),
    int: lambda value: (_NUMBER, value),
    Decimal: _ranked_number,
    float: lambda value: _ranked_number(Decimal(repr(value))),
    str: lambda value: (_STRING, units(value)),
    bytes: lambda value: (_BYTES, value),
    list: lambda value: (_LIST, tuple(map(_ranked, value))),
    dict: lambda value: (_MAP, tuple((units(k), _ranked(value[k])) for k in sorted(value))),
    RawJson: lambda value: _ranked(value.value()),
}

# Equality

_OWN_KEYS = frozenset(
    {type(None), str, int, Decimal, bytes, DateTime, LocalDateTime, LocalDate, LocalTime}
)


def keys_of(columns: Sequence[Column]) -> list[Any]:
    """A hashable key for each document. Two are equal if all their values are: 1 and 1.0 are, 1
    and true are not. The key of a single value that is null is None."""
    made = [_own_keys(column) for column in columns]
    return made[0] if len(made) == 1 else list(zip(*made, strict=True))


def _own_keys(column: Column) -> Column:
    return column if _OWN_KEYS.issuperset(map(type, column)) else list(map(_key, column))


def _key(value: Value) -> Any:
    if value.__class__ in _OWN_KEYS or isinstance(value, date | time):
        return value
    return Decimal(repr(value)) if value.__class__ is float else _ranked(value)


def same(left: Value, right: Value, *, equal: bool | None = None) -> bool:
    """Whether two values are equal at every depth, whatever the order of the keys of maps.

    `equal` is whether Python finds them equal, if that is known."""
    equal = left == right if equal is None else equal
    if equal or _holds_float(left) or _holds_float(right):
        return _ranked(left) == _ranked(right)
    return False


def _holds_float(value: Value) -> bool:
    if value.__class__ is dict:
        value = list(value.values())
    elif value.__class__ is not list:
        return value.__class__ is float
    kinds = set(map(type, value))
    return float in kinds or (not kinds.isdisjoint(_CONTAINERS) and any(map(_holds_float, value)))


_CONTAINERS = frozenset({dict, list})
