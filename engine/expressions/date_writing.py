"""Dates and times as a date pattern says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from engine.expressions.date_patterns import (
    DATE_LETTERS,
    DAYS,
    MONTHS,
    QUARTERS,
    TIME_LETTERS,
    ZONE_LETTERS,
    Field,
    Literal,
    pieces,
)
from engine.expressions.dates import offset_text
from engine.expressions.failures import Failure
from engine.expressions.texts import join
from engine.expressions.values import kind_of
from engine.expressions.zone_names import name_of


def written(value: Any, pattern: str) -> str:
    """A date or time as the pattern says; raises Failure if it lacks what a letter asks for."""
    return join(
        piece.text if isinstance(piece, Literal) else _field_text(piece, value)
        for piece in pieces(pattern)
    )


def _field_text(field: Field, value: Any) -> str:
    letter = field.letter
    if letter in DATE_LETTERS and not isinstance(value, date):
        raise _lacks(value, "date")
    if letter in TIME_LETTERS and not isinstance(value, datetime | time):
        raise _lacks(value, "time of day")
    if letter in ZONE_LETTERS and (not isinstance(value, datetime) or value.tzinfo is None):
        raise _lacks(value, "time zone")
    if letter in _ZONES:
        return _ZONES[letter](value, field.count)
    if letter == "S":
        return f"{value.microsecond // 1000:03}".ljust(field.count, "0")[: field.count]
    if field.is_name:
        return name(field, value)
    return _number_text(field, value)


def _lacks(value: Any, part: str) -> Failure:
    return Failure(f"{kind_of(value)} of type {type(value).__name__} has no {part}")


# --- numbers ---

NUMBERS: dict[str, Callable[[Any], int]] = {
    "y": lambda value: value.year,
    "u": lambda value: value.year,
    "Y": lambda value: value.isocalendar()[0],
    "M": lambda value: value.month,
    "L": lambda value: value.month,
    "d": lambda value: value.day,
    "D": lambda value: value.timetuple().tm_yday,
    "E": lambda value: value.isoweekday(),
    "e": lambda value: value.isoweekday(),
    "c": lambda value: value.isoweekday(),
    "w": lambda value: value.isocalendar()[1],
    "W": lambda value: (value.day + value.replace(day=1).isoweekday() - 2) // 7 + 1,
    "F": lambda value: (value.day - 1) // 7 + 1,
    "Q": lambda value: (value.month + 2) // 3,
    "q": lambda value: (value.month + 2) // 3,
    "G": lambda value: 1,
    "a": lambda value: value.hour // 12,
    "H": lambda value: value.hour,
    "k": lambda value: value.hour or 24,
    "K": lambda value: value.hour % 12,
    "h": lambda value: value.hour % 12 or 12,
    "m": lambda value: value.minute,
    "s": lambda value: value.second,
    "A": lambda value: (
        ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000
    ),
    "n": lambda value: value.microsecond // 1000 * 1_000_000,
}
"""What each letter counts; of a date and time."""


def number(field: Field, value: Any) -> int:
    if field.letter == "u" and field.count == 1:
        return int(value.isoweekday())
    return NUMBERS[field.letter](value)


def _number_text(field: Field, value: Any) -> str:
    found = number(field, value)
    if field.count == 2 and field.letter in "yYu":
        return f"{found % 100:02}"
    return str(found).zfill(field.count)


# --- names ---

_HALVES = ["AM", "PM"]


def name(field: Field, value: Any) -> str:
    """The part in words: short up to three letters, in full with four, and narrow with five."""
    short, full, narrow = names(field.letter)
    place = number(field, value) - (0 if field.letter in "aG" else 1)
    return {4: full, 5: narrow}.get(field.count, short)[place]


def names(letter: str) -> tuple[list[str], list[str], list[str]]:
    """What a letter may be in words: short, in full, and narrow."""
    if letter in "ML":
        return [month[:3] for month in MONTHS], MONTHS, [month[0] for month in MONTHS]
    if letter in "Eec":
        return [day[:3] for day in DAYS], DAYS, [day[0] for day in DAYS]
    if letter in "Qq":
        return ["Q1", "Q2", "Q3", "Q4"], QUARTERS, ["1", "2", "3", "4"]
    if letter == "G":
        return ["BC", "AD"], ["Before Christ", "Anno Domini"], ["B", "A"]
    return _HALVES, _HALVES, _HALVES


# --- zones ---


def _zone_id(value: Any, count: int) -> str:
    key = getattr(value.tzinfo, "key", None)
    return str(key) if key else offset_text(value, ":", "UTC" if value.tzinfo is UTC else "Z")


def _offset(value: Any, count: int) -> str:
    if count == 3:
        return _zone_id(value, count)
    if count == 4:
        return _from_greenwich(value, count)
    if count == 5:
        return offset_text(value, ":", "Z")
    return offset_text(value, "" if count == 1 else ":", "")


def _from_greenwich(value: Any, count: int) -> str:
    """`GMT+8` with one letter, `GMT+08:00` with four."""
    text = offset_text(value, ":", "GMT")
    if text == "GMT" or count == 4:
        return text if text == "GMT" else f"GMT{text}"
    hours, _, rest = text[1:].partition(":")
    return f"GMT{text[0]}{int(hours)}" + (f":{rest}" if rest.strip("0:") else "")


def _iso_offset(zero: str) -> Callable[[Any, int], str]:
    def text(value: Any, count: int) -> str:
        found = offset_text(value, ":" if count in (3, 5) else "", zero)
        return found.removesuffix("00") if count == 1 and len(found) == 5 else found

    return text


_ZONES: dict[str, Callable[[Any, int], str]] = {
    "z": lambda value, count: name_of(value, full=count == 4),
    "Z": _offset,
    "X": _iso_offset("Z"),
    "x": _iso_offset(""),
    "V": _zone_id,
    "O": _from_greenwich,
}
