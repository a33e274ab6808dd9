"""Formatting dates and times by a date pattern."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from operator import attrgetter
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
from engine.expressions.dates import DateTime, offset_text
from engine.expressions.failures import Failure
from engine.expressions.utf16 import join
from engine.expressions.values import kind_of
from engine.expressions.zone_names import name_of


def written(value: Any, pattern: str) -> str:
    """A date or time formatted by the pattern; raises Failure if it lacks a part."""
    if value.__class__ is DateTime and (plain := _plain_format(pattern)):
        text, numbers = plain
        return str(text % numbers(value))
    letters, writers = _writers(pattern)
    if letters & DATE_LETTERS and not isinstance(value, date):
        raise _lacks(value, "date")
    if letters & TIME_LETTERS and not isinstance(value, datetime | time):
        raise _lacks(value, "time of day")
    has_zone = isinstance(value, datetime) and value.tzinfo is not None
    if letters & ZONE_LETTERS and not has_zone:
        raise _lacks(value, "time zone")
    return join([one if one.__class__ is str else one(value) for one in writers])  # type: ignore[operator]


def _lacks(value: Any, part: str) -> Failure:
    return Failure(f"{kind_of(value)} of type {type(value).__name__} has no {part}")


@functools.lru_cache(maxsize=512)
def _writers(pattern: str) -> tuple[frozenset[str], tuple[str | Callable[[Any], str], ...]]:
    """The letters of a pattern, and the function that writes each piece."""
    found = pieces(pattern)
    letters = frozenset(piece.letter for piece in found if isinstance(piece, Field))
    writers = (p.text if isinstance(p, Literal) else _writer(p) for p in found)
    return letters, tuple(writers)


@functools.lru_cache(maxsize=512)
def _plain_format(pattern: str) -> tuple[str, Callable[[Any], Any]] | None:
    """Python's format for a pattern of several numbers only, and what reads these from a date."""
    text, names = "", []
    for piece in pieces(pattern):
        if isinstance(piece, Literal):
            text += piece.text.replace("%", "%%")
        elif piece.letter in _ATTRIBUTES and piece.count in _WIDTHS[piece.letter]:
            text += f"%0{piece.count}d"
            names.append(_ATTRIBUTES[piece.letter])
        else:
            return None
    return (text, attrgetter(*names)) if len(names) > 1 and text.isascii() else None


_ATTRIBUTES = {
    "y": "year",
    "M": "month",
    "d": "day",
    "H": "hour",
    "m": "minute",
    "s": "second",
}
_WIDTHS = {"y": (1, 4), "M": (1, 2), "d": (1, 2), "H": (1, 2), "m": (1, 2), "s": (1, 2)}


def _writer(field: Field) -> Callable[[Any], str]:
    letter, count = field.letter, field.count
    if letter in _ZONES:
        return lambda value: _ZONES[letter](value, count)
    if letter == "S":
        return lambda value: f"{value.microsecond // 1000:03}".ljust(count, "0")[:count]
    read = number_reader(field)
    if field.is_name:
        short, full, narrow = names(letter)
        table = {4: full, 5: narrow}.get(count, short)
        first = 0 if letter in "aG" else 1
        return lambda value: table[read(value) - first]
    if count == 2 and letter in "yYu":
        return lambda value: f"{read(value) % 100:02}"
    return lambda value: str(read(value)).zfill(count)


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
"""What each letter counts in a date and time."""


def number_reader(field: Field) -> Callable[[Any], int]:
    return NUMBERS["E" if field.letter == "u" and field.count == 1 else field.letter]


# --- names ---

_HALVES = ["AM", "PM"]


def names(letter: str) -> tuple[list[str], list[str], list[str]]:
    """The words for a letter: short, full and narrow."""
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
