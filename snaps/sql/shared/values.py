"""Values on their way from documents to a database and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from engine.sdk import (
    CHANGE_IT_FIRST,
    DataError,
    DateTime,
    LocalDate,
    LocalDateTime,
    LocalTime,
    Value,
    excerpt,
    to_json,
)

_ZONED = ("postgresql", "redshift", "snowflake")
"""Dialects whose types of date and time may have a zone."""

_PLAIN = frozenset((str, int, type(None), bool, bytes, float))
_DAY = timedelta(days=1)
_LARGE = 2**63
"""SQLite has no larger integers; they become text."""


class Binder:
    """Makes values of documents into what the driver of a dialect takes."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._zoned = dialect in _ZONED

    def bound(self, value: Value, name: str = "a value") -> Any:
        """The value to bind. Raises DataError, which calls it `name`, for NaN, Infinity, and what
        JSON cannot represent."""
        if value.__class__ is int and self._dialect == "sqlite":
            return value if -_LARGE <= value < _LARGE else str(value)
        if value.__class__ is float and not isfinite(value):  # SQLite would store it as null
            raise DataError(
                f"cannot send {name} to the database", f"it is {excerpt(value)}", CHANGE_IT_FIRST
            )
        if value.__class__ in _PLAIN:
            return value
        if isinstance(value, Decimal):
            return self._decimal(value)
        if isinstance(value, datetime):
            return self._date_time(value)
        if isinstance(value, date):
            return self._as_text(date(value.year, value.month, value.day))
        if isinstance(value, time):
            parts = value.hour, value.minute, value.second, value.microsecond
            return self._as_text(time(*parts))
        return to_json(value, name).decode()

    def _decimal(self, value: Decimal) -> Any:
        if self._dialect != "sqlite":
            return Decimal(f"{value:f}")  # MySQL takes 1E+3 for a binary number
        nearest = float(value)  # SQLite has no decimals
        return nearest if Decimal(repr(nearest)) == value else f"{value:f}"

    def _date_time(self, value: datetime) -> Any:
        if value.tzinfo is not None:
            value = value.astimezone(UTC) if not self._zoned else value
        zone = value.tzinfo if self._zoned else None
        found = datetime(*value.timetuple()[:6], value.microsecond, tzinfo=zone, fold=value.fold)
        return self._as_text(found)

    def _as_text(self, value: Any) -> Any:
        """SQLite keeps dates as text."""
        if self._dialect != "sqlite":
            return value
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()


def documents_of(
    keys: Sequence[str], rows: Sequence[Sequence[Any]], flags: frozenset[int] = frozenset()
) -> list[dict[str, Value]]:
    """Rows as documents; the columns in `flags` hold true or false."""
    found = [dict(zip(keys, map(read_value, row), strict=True)) for row in rows]
    for column in flags:
        key = keys[column]
        for document in found:
            if document[key] is not None:
                document[key] = _flag(document[key])
    return found


def read_value(value: Any) -> Value:
    """A value of a database as a document holds it."""
    if value.__class__ in _PLAIN:
        return value
    convert = _CONVERTERS.get(value.__class__)
    if convert is not None:
        return convert(value)
    for kind, converter in _CONVERTERS.items():
        if isinstance(value, kind):
            return converter(value)
    return str(value)  # such as a UUID, an address or an interval


def _flag(value: Any) -> bool:
    return value not in (0, b"\x00", False)


def _decimal(value: Decimal) -> Value:
    return value if value.is_finite() else str(value)


def _date_time(value: datetime) -> Value:
    """All digits of the second are kept, so that they can be written back."""
    parts = (*value.timetuple()[:6], value.microsecond)
    if value.tzinfo is None:
        return LocalDateTime(*parts)
    return DateTime(*parts, tzinfo=value.tzinfo, fold=value.fold)


def _date(value: date) -> Value:
    return LocalDate(value.year, value.month, value.day)


def _time(value: time) -> Value:
    return LocalTime(value.hour, value.minute, value.second, value.microsecond)


def _duration(value: timedelta) -> Value:
    """MySQL's type TIME is a duration, which is usually used as a time of day."""
    if not timedelta(0) <= value < _DAY:
        return str(value)
    minutes, seconds = divmod(value.seconds, 60)
    return LocalTime(minutes // 60, minutes % 60, seconds, value.microseconds)


def _list(value: Sequence[Any]) -> Value:
    return [read_value(item) for item in value]


def _map(value: Mapping[str, Any]) -> Value:
    return {key: read_value(item) for key, item in value.items()}


_CONVERTERS: Mapping[type, Callable[[Any], Value]] = {
    Decimal: _decimal,
    datetime: _date_time,
    date: _date,
    time: _time,
    timedelta: _duration,
    memoryview: bytes,
    bytearray: bytes,
    list: _list,
    tuple: _list,
    dict: _map,
}
