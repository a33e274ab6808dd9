"""The functions of Aggregate. Each keeps a value by group, and takes whole columns."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from operator import gt, lt
from sys import getsizeof
from typing import Any, ClassVar

from engine.sdk import Column, DataError, Value, excerpt, kind_of_column, orderable, ranked, to_text

_NULL = type(None)
_INTEGERS = frozenset({int, _NULL})
_NUMBERS = frozenset({int, Decimal, _NULL})
_STRINGS = frozenset({str, _NULL})
_CONTAINERS = frozenset({dict, list})
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_LONGEST = 4_300


class Function(ABC):
    """Values by group. Null is left out; a group without any value has the result null."""

    bytes_per_group: ClassVar[int] = 160

    def accepts(self, kinds: set[type]) -> bool:
        """Whether values of these types can be added as they are."""
        return True

    def converted(self, value: Value) -> Value:
        """The value as it is added. Raises DataError if the function cannot use it."""
        return value

    def take(self, keys: list[Any], column: Column) -> int:
        """Add values to their groups. Returns how many bytes more are kept, besides a group's."""
        if None in column:
            pairs = [pair for pair in zip(keys, column, strict=True) if pair[1] is not None]
            keys, column = [key for key, _ in pairs], [value for _, value in pairs]
        return self.add(keys, column) or 0

    @property
    def kind(self) -> str:
        """Of which type all values are, if they must be of one; empty as long as there are none."""
        return ""

    @abstractmethod
    def add(self, keys: list[Any], column: Column) -> int | None: ...

    @abstractmethod
    def result(self, key: Any) -> Value: ...

    @abstractmethod
    def forget(self, key: Any) -> None:
        """The group has been passed on."""


class Count(Function):
    def __init__(self) -> None:
        self._counts: Counter[Any] = Counter()

    def add(self, keys: list[Any], column: Column) -> None:
        self._counts.update(keys)

    def __bool__(self) -> bool:
        return bool(self._counts)

    def result(self, key: Any) -> Value:
        return self._counts[key]

    def forget(self, key: Any) -> None:
        del self._counts[key]


class _OfNumbers(Function):
    """A function of numbers, and of strings that hold numbers."""

    def __init__(self, name: str, *, integers: bool) -> None:
        self._name = name
        self._integers = integers

    def accepts(self, kinds: set[type]) -> bool:
        return kinds <= (_INTEGERS if self._integers else _NUMBERS)

    def converted(self, value: Value) -> Value:
        if value is None:
            return None
        number = _number(value)
        if number is None:
            raise unusable(f"{self._name} needs a number, but got {excerpt(value)}")
        return int(number) if self._integers else number


class Sum(_OfNumbers):
    def __init__(self, name: str = "sum", *, integers: bool = False) -> None:
        super().__init__(name, integers=integers)
        self._sums: dict[Any, Any] = {}

    def add(self, keys: list[Any], column: Column) -> None:
        sums = self._sums
        get = sums.get
        for key, value in zip(keys, column, strict=True):
            before = get(key)
            sums[key] = value if before is None else before + value

    def result(self, key: Any) -> Value:
        return self._sums.get(key)

    def forget(self, key: Any) -> None:
        self._sums.pop(key, None)


class Average(_OfNumbers):
    """The mean of numbers, rounded to a number of digits, or of dates."""

    bytes_per_group = 320

    def __init__(self, digits: int, *, integers: bool = False) -> None:
        super().__init__("avg", integers=integers)
        self._divide = Context(prec=digits, rounding=ROUND_HALF_EVEN).divide
        self._sum = Sum("avg", integers=integers)
        self._count = Count()
        self._kind: type | None = None
        self._starts: dict[Any, date] = {}

    @property
    def kind(self) -> str:
        if self._kind is None:
            return ""
        return "numbers" if self._kind is Decimal else "dates"

    def accepts(self, kinds: set[type]) -> bool:
        if self._kind not in (None, Decimal) or not super().accepts(kinds):
            return False
        if kinds - {_NULL}:
            self._kind = Decimal
        return True

    def converted(self, value: Value) -> Value:
        if value is None:
            return None
        kind = type(value) if isinstance(value, date) else Decimal
        self._kind = self._kind or kind
        if kind is not self._kind:
            raise unusable(f"avg needs values of one type, but got {excerpt(value)} among others")
        return value if kind is not Decimal else super().converted(value)

    def add(self, keys: list[Any], column: Column) -> None:
        if column and isinstance(column[0], date):  # add the time since the first of the group
            starts = self._starts
            pairs = zip(keys, column, strict=True)
            column = [value - starts.setdefault(key, value) for key, value in pairs]
        self._sum.add(keys, column)
        self._count.add(keys, column)

    def result(self, key: Any) -> Value:
        total, count = self._sum.result(key), self._count.result(key)
        if total is None:
            return None
        if isinstance(total, timedelta):
            return self._starts[key] + total / count
        if self._integers:
            return total // count if total >= 0 else -(-total // count)
        mean = self._divide(Decimal(total), Decimal(count))
        return int(mean) if mean.as_tuple().exponent == 0 else mean

    def forget(self, key: Any) -> None:
        self._sum.forget(key)
        self._count.forget(key)
        self._starts.pop(key, None)


class Extreme(Function):
    """The least or greatest value, by the order of Sort."""

    bytes_per_group = 240

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_better = gt if name == "max" else lt
        self._kind: Any = None
        self._values: dict[Any, Value] = {}
        self._orders: dict[Any, Any] | None = None  # where Python does not order the values

    def accepts(self, kinds: set[type]) -> bool:
        return kinds.isdisjoint(_CONTAINERS)

    def converted(self, value: Value) -> Value:
        if value.__class__ in _CONTAINERS:
            raise unusable(f"{self._name} needs a single value, but got {excerpt(value)}")
        return value

    def add(self, keys: list[Any], column: Column) -> None:
        if self._orders is None and not self._is_plain(column):
            places = ranked(list(self._values.values()))
            self._orders = dict(zip(self._values, places, strict=True))
        values, is_better = self._values, self._is_better
        if self._orders is None:
            for key, value in zip(keys, column, strict=True):
                before = values.get(key)
                if before is None or is_better(value, before):
                    values[key] = value
            return
        orders = self._orders
        for key, order, value in zip(keys, ranked(column), column, strict=True):
            before = orders.get(key)
            if before is None or is_better(order, before):
                orders[key] = order
                values[key] = value

    def _is_plain(self, column: Column) -> bool:
        """Whether Python orders the values as we do, and all those before."""
        kind = kind_of_column(column)
        self._kind = self._kind or kind
        return not column or (
            kind is not None and kind is self._kind and orderable(column, kind) is column
        )

    def result(self, key: Any) -> Value:
        return self._values.get(key)

    def forget(self, key: Any) -> None:
        self._values.pop(key, None)
        if self._orders is not None:
            self._orders.pop(key, None)


class Concat(Function):
    """The values as strings, with `|` between them; `unique`: each only once."""

    def __init__(self, name: str, *, unique: bool = False) -> None:
        self._name = name
        self._unique = unique
        self._texts: dict[Any, list[str]] = {}

    def accepts(self, kinds: set[type]) -> bool:
        return kinds <= _STRINGS

    def converted(self, value: Value) -> Value:
        if value.__class__ in _CONTAINERS or value.__class__ is bytes:
            raise unusable(f"{self._name} needs a single value, but got {excerpt(value)}")
        return None if value is None else to_text(value)

    def add(self, keys: list[Any], column: Column) -> int:
        texts = self._texts
        for key, text in zip(keys, column, strict=True):
            texts.setdefault(key, []).append(text)
        return sum(map(getsizeof, column))

    def result(self, key: Any) -> Value:
        texts = self._texts.get(key)
        if texts is None:
            return None
        return "|".join(dict.fromkeys(texts) if self._unique else texts)

    def forget(self, key: Any) -> None:
        self._texts.pop(key, None)


def make_function(name: str, *, avg_digits: int, integers: bool) -> Function:
    """The function of that name, without any group."""
    makers: dict[str, Callable[[], Function]] = {
        "count": Count,
        "sum": partial(Sum, integers=integers),
        "avg": partial(Average, avg_digits, integers=integers),
        "min": partial(Extreme, "min"),
        "max": partial(Extreme, "max"),
        "concat": partial(Concat, "concat"),
        "unique_concat": partial(Concat, "unique_concat", unique=True),
    }
    return makers[name]()


def unusable(reason: str) -> DataError:
    """The error of a document that cannot be part of its group."""
    advice = "convert the value first, for example with a Mapper"
    return DataError("could not aggregate the document", reason, advice)


def _number(value: Value) -> int | Decimal | None:
    """The number that a value is or, as a string, denotes; None if it is not a number."""
    if value.__class__ is int or value.__class__ is Decimal:
        return value
    text = repr(value) if value.__class__ is float else value
    if text.__class__ is not str or len(text) > _LONGEST or not _NUMBER.fullmatch(text.strip()):
        return None
    return int(text) if _INTEGER.fullmatch(text.strip()) else Decimal(text.strip())
