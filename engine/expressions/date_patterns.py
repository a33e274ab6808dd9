"""Java's date patterns (`yyyy-MM-dd'T'HH:mm:ss.SSSZ`), for writing and for reading.

A pattern is taken apart once into literals and fields (letter, count); a field knows how it is
written and what it may read. Names of months and days are English.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import msgspec

from engine.expressions.dates import LocalDateTime, offset_text, offset_zone, zone
from engine.expressions.failures import Failure
from engine.expressions.values import kind_of

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_DATE_LETTERS = frozenset("GyYuMLdDEecwWFQq")
_TIME_LETTERS = frozenset("aHkKhmsSAn")
_ZONE_LETTERS = frozenset("zZXxVO")
_MAX_PATTERN = 500
_MAX_COUNT = 20


class Literal(msgspec.Struct, frozen=True):
    text: str


class Field(msgspec.Struct, frozen=True):
    letter: str
    count: int


@functools.lru_cache(maxsize=512)
def pieces(pattern: str) -> tuple[Literal | Field, ...]:
    """The literals and fields of a pattern; raises Failure."""
    if not pattern:
        raise Failure("the date pattern is empty")
    if len(pattern) > _MAX_PATTERN:
        raise Failure(f"a date pattern may have {_MAX_PATTERN} characters at most")
    found: list[Literal | Field] = []
    at = 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            raise Failure(f"the quote in the date pattern `{pattern}` is not closed")
        found.append(_piece(pattern, piece))
        at = piece.end()
    return tuple(found)


def _piece(pattern: str, piece: re.Match[str]) -> Literal | Field:
    if piece[1] is not None:
        return Literal(piece[1].replace("''", "'") or "'")
    letter = piece[2]
    if letter is None:
        return Literal(piece[0])
    if letter not in _DATE_LETTERS | _TIME_LETTERS | _ZONE_LETTERS:
        hint = f"put plain text in quotes: '{piece[0]}'"
        raise Failure(f"`{letter}` means nothing in the date pattern `{pattern}`", hint)
    if len(piece[0]) > _MAX_COUNT:
        raise Failure(f"`{piece[0][:10]}...` is too long for a date pattern")
    return Field(letter, len(piece[0]))


# --- writing ---


def written(value: Any, pattern: str) -> str:
    """A date or time as the pattern says."""
    return "".join(
        piece.text if isinstance(piece, Literal) else _field_text(piece, value)
        for piece in pieces(pattern)
    )


def _field_text(field: Field, value: Any) -> str:
    letter = field.letter
    if letter in _DATE_LETTERS and not isinstance(value, date):
        raise _lacks(value, "date")
    if letter in _TIME_LETTERS and not isinstance(value, datetime | time):
        raise _lacks(value, "time of day")
    if letter in _ZONE_LETTERS and (not isinstance(value, datetime) or value.tzinfo is None):
        raise _lacks(value, "time zone")
    return _WRITERS[letter](value, field.count)


def _lacks(value: Any, part: str) -> Failure:
    return Failure(f"{kind_of(value)} of type {type(value).__name__} has no {part}")


def _padded(read: Callable[[Any], int]) -> Callable[[Any, int], str]:
    return lambda value, count: str(read(value)).zfill(count)


def _year(value: Any, count: int) -> str:
    return f"{value.year % 100:02}" if count == 2 else str(value.year).zfill(count)


def _year_or_day(value: Any, count: int) -> str:
    return _year(value, count) if count > 1 else str(value.isoweekday())


def _month(value: Any, count: int) -> str:
    if count <= 2:
        return str(value.month).zfill(count)
    name: str = MONTHS[value.month - 1]
    return {3: name[:3], 4: name}.get(count, name[:1])


def _day_name(value: Any, count: int) -> str:
    name: str = DAYS[value.isoweekday() - 1]
    return name[:3] if count < 4 else name


def _day_number(value: Any, count: int) -> str:
    return str(value.isoweekday()).zfill(count) if count < 3 else _day_name(value, count)


def _fraction(value: Any, count: int) -> str:
    return f"{value.microsecond // 1000:03}".ljust(count, "0")[:count]


def _quarter(value: Any, count: int) -> str:
    number = (value.month + 2) // 3
    return f"Q{number}" if count == 3 else str(number).zfill(count)


def _zone_name(value: Any, count: int) -> str:
    name = value.tzname() or "UTC"
    return str(name if not name.startswith(("UTC+", "UTC-")) else name[3:])


def _zone_id(value: Any, count: int) -> str:
    key = getattr(value.tzinfo, "key", None)
    return str(key) if key else offset_text(value, ":", "UTC" if value.tzinfo is UTC else "Z")


def _offset(value: Any, count: int) -> str:
    if count == 3:
        return _zone_id(value, count)
    if count == 4:
        return "GMT" + offset_text(value, ":", "")
    return offset_text(value, "" if count == 1 else ":", "")


def _iso_offset(zero: str) -> Callable[[Any, int], str]:
    def text(value: Any, count: int) -> str:
        found = offset_text(value, ":" if count in (3, 5) else "", zero)
        return found.removesuffix("00") if count == 1 and len(found) == 5 else found

    return text


def _era(value: Any, count: int) -> str:
    return "AD" if count < 4 else "Anno Domini"


def _half(value: Any, count: int) -> str:
    return "AM" if value.hour < 12 else "PM"


def _millisecond_of_day(value: Any) -> int:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return int(seconds * 1000 + value.microsecond // 1000)


_WRITERS: dict[str, Callable[[Any, int], str]] = {
    "G": _era,
    "y": _year,
    "Y": _year,
    "u": _year_or_day,
    "M": _month,
    "L": _month,
    "d": _padded(lambda value: value.day),
    "D": _padded(lambda value: value.timetuple().tm_yday),
    "E": _day_name,
    "e": _day_number,
    "c": _day_number,
    "w": _padded(lambda value: value.isocalendar()[1]),
    "W": _padded(lambda value: (value.day + value.replace(day=1).isoweekday() - 2) // 7 + 1),
    "F": _padded(lambda value: (value.day - 1) // 7 + 1),
    "Q": _quarter,
    "q": _quarter,
    "a": _half,
    "H": _padded(lambda value: value.hour),
    "k": _padded(lambda value: value.hour or 24),
    "K": _padded(lambda value: value.hour % 12),
    "h": _padded(lambda value: value.hour % 12 or 12),
    "m": _padded(lambda value: value.minute),
    "s": _padded(lambda value: value.second),
    "S": _fraction,
    "A": _padded(_millisecond_of_day),
    "n": _padded(lambda value: value.microsecond // 1000 * 1_000_000),
    "z": _zone_name,
    "Z": _offset,
    "X": _iso_offset("Z"),
    "x": _iso_offset(""),
    "V": _zone_id,
    "O": lambda value, count: "GMT" + offset_text(value, ":", ""),
}


# --- reading ---

_NUMERIC = frozenset("yYuMLdDHkKhmsSQqe")
_WIDTHS = {"y": 9, "Y": 9, "u": 9, "D": 3, "S": 9}
_NAMES = {
    "E": "|".join([*DAYS, *(day[:3] for day in DAYS)]),
    "a": r"[AaPp]\.?[Mm]\.?",
    "G": r"[AaBb]\.?[DdCc]\.?(?:[Ee]\.?)?",
    "z": r"[A-Za-z][A-Za-z0-9_/+:-]*|[+-]\d\d:?\d\d",
    "V": r"[A-Za-z][A-Za-z0-9_/+:-]*|[+-]\d\d:?\d\d",
    "Z": r"Z|[+-]\d\d(?::?\d\d)?",
    "X": r"Z|[+-]\d\d(?::?\d\d)?",
    "x": r"Z|[+-]\d\d(?::?\d\d)?",
    "O": r"(?:GMT|UTC)?(?:[+-]\d\d?(?::?\d\d)?)?",
}


class Reading(msgspec.Struct, frozen=True):
    """Date and time of day as they were written, and their zone if there was one."""

    local: LocalDateTime
    zone: tzinfo | None


@functools.lru_cache(maxsize=512)
def _reader(pattern: str) -> tuple[re.Pattern[str], tuple[Field, ...]]:
    parts: list[str] = []
    fields: list[Field] = []
    found = pieces(pattern)
    for piece, following in zip(found, [*found[1:], None], strict=True):
        if isinstance(piece, Literal):
            parts.append(re.escape(piece.text))
        else:
            fields.append(piece)
            parts.append(f"({_readable(piece, _is_number(following))})")
    return re.compile("".join(parts), re.IGNORECASE | re.ASCII), tuple(fields)


def _is_number(piece: Literal | Field | None) -> bool:
    if not isinstance(piece, Field) or piece.letter not in _NUMERIC:
        return False
    return not (piece.letter in "MLQqe" and piece.count > 2)


def _readable(field: Field, number_follows: bool) -> str:
    if _is_number(field):
        if number_follows:
            return rf"\d{{{field.count}}}"
        return rf"\d{{1,{max(field.count, _WIDTHS.get(field.letter, 2))}}}"
    if field.letter in "ML":
        return "|".join([*MONTHS, *(month[:3] for month in MONTHS), "Sept"])
    if field.letter in "ec":
        return _NAMES["E"]
    if field.letter in _NAMES:
        return _NAMES[field.letter]
    raise Failure(f"`{field.letter}` in a date pattern can be written, but not read")


def read(text: str, pattern: str) -> Reading:
    """What `text` says, by the pattern; parts that it lacks are those of 1970-01-01T00:00."""
    reader, fields = _reader(pattern)
    found = reader.fullmatch(text.strip())
    if not found:
        raise Failure(f"`{text[:80]}` is not a date of the form `{pattern}`")
    parts: dict[str, str] = {}
    for field, part in zip(fields, found.groups(), strict=True):
        parts[_group(field)] = part
    try:
        return Reading(_moment(parts), zone_of(parts))
    except (ValueError, OverflowError) as error:
        message = f"`{text[:80]}` is not a date of the form `{pattern}`: {error}"
        raise Failure(message) from None


def _group(field: Field) -> str:
    if field.letter in "yYu":
        return "yy" if field.count == 2 else "y"
    return {"L": "M", "X": "Z", "x": "Z", "V": "z", "O": "z"}.get(field.letter, field.letter)


def _moment(parts: dict[str, str]) -> LocalDateTime:
    year = _read_year(parts)
    month = _read_month(parts["M"]) if "M" in parts else 1
    fraction = int(parts.get("S", "0").ljust(3, "0")[:3]) * 1000
    minute, second = int(parts.get("m", 0)), int(parts.get("s", 0))
    hour = _read_hour(parts)
    moment = LocalDateTime(year, month, int(parts.get("d", 1)), hour, minute, second, fraction)
    if "D" not in parts:
        return moment
    number = int(parts["D"])
    if not 1 <= number <= 366:
        raise ValueError("the day of the year must be 1 to 366")
    return moment.replace(month=1, day=1) + timedelta(days=number - 1)


def _read_year(parts: dict[str, str]) -> int:
    if "yy" not in parts:
        return int(parts.get("y", 1970))
    year = int(parts["yy"])
    if len(parts["yy"]) > 2:
        return year
    this_year = datetime.now(UTC).year
    year += this_year // 100 * 100
    return year - 100 if year > this_year + 20 else year


def _read_month(text: str) -> int:
    if text.isdigit():
        return int(text)
    names = [name[:3].lower() for name in MONTHS]
    return names.index(text[:3].lower()) + 1


def _read_hour(parts: dict[str, str]) -> int:
    if "H" in parts:
        return int(parts["H"])
    if "k" in parts:
        return int(parts["k"]) % 24
    hour = int(parts.get("h", parts.get("K", 0)))
    if "h" in parts and not 1 <= hour <= 12:
        raise ValueError("the hour must be 1 to 12")
    afternoon = parts.get("a", "am").lower().startswith("p")
    return hour % 12 + (12 if afternoon else 0)


def zone_of(parts: dict[str, str]) -> tzinfo | None:
    text = parts.get("Z") or parts.get("z")
    if not text:
        return None
    if text in ("Z", "z"):
        return UTC
    if text[0] in "+-":
        digits = text[1:].replace(":", "")
        return offset_zone(text[0], int(digits[:2]), int(digits[2:4] or 0))
    return zone(text)
