"""Dates and times from text, by a date pattern.

Every field of the pattern counts: some determine the moment, and then all of them must agree
with it, so no part of the text is ignored.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import msgspec

from engine.expressions.date_patterns import Field, Literal, pieces
from engine.expressions.date_writing import names, number_reader
from engine.expressions.dates import DateTime, LocalDateTime, normalized, offset_zone
from engine.expressions.failures import Failure
from engine.expressions.zone_names import (
    NamedZone,
    full_names,
    is_daylight,
    standard_offset,
    zone_called,
)

_WIDTHS = {"y": 9, "Y": 9, "u": 9, "D": 3, "S": 9, "A": 8, "n": 9}
_NUMERIC = frozenset("yYuMLdDHkKhmsSQqecwAn")
_OFFSET = r"[+-]\d\d?(?::?\d\d(?::?\d\d)?)?"
_ZONE_NAME = rf"[A-Za-z][A-Za-z0-9_/+:-]*|{_OFFSET}"
_ZONES = {
    "z": _ZONE_NAME,
    "V": _ZONE_NAME,
    "Z": rf"Z|(?:GMT|UTC)?{_OFFSET}|GMT|UTC",
    "X": rf"Z|{_OFFSET}",
    "x": rf"Z|{_OFFSET}",
    "O": rf"(?:GMT|UTC){_OFFSET}|GMT|UTC|{_OFFSET}",
}
_FIXED = re.compile(r"(?:GMT|UTC)?([+-])(\d\d?):?(\d\d)?:?(\d\d)?", re.IGNORECASE)


class Reading(msgspec.Struct, frozen=True):
    """Date and time of day as written, with their offset and zone."""

    local: LocalDateTime
    offset: tzinfo | None = None
    named: NamedZone | None = None

    def moment(self, default: tzinfo) -> DateTime:
        """The instant in its own zone, or in the default zone if the text has none."""
        if self.named is None:
            return normalized(self.local_in(self.offset or default))
        earlier, later = (self.local_in(self.named.zone, fold) for fold in (0, 1))
        if self.offset is not None:
            wanted = self.offset.utcoffset(None)
            if wanted not in (earlier.utcoffset(), later.utcoffset()):
                raise Failure("the offset and the time zone in the text do not agree")
            return normalized(earlier if earlier.utcoffset() == wanted else later)
        daylight = self.named.daylight
        if daylight is None or is_daylight(earlier) == daylight:
            return normalized(earlier)
        if is_daylight(later) == daylight or not self.named.is_exact:
            return normalized(later)
        size = standard_offset(earlier) + timedelta(hours=1 if daylight else 0)
        return self.local_in(timezone(size))

    def local_in(self, where: tzinfo, fold: int = 0) -> DateTime:
        local = self.local
        clock = (local.hour, local.minute, local.second, local.microsecond)
        return DateTime(local.year, local.month, local.day, *clock, where, fold=fold)


class Slot(msgspec.Struct, frozen=True):
    """A field of a pattern, what it counts, and whether to compare it with the moment."""

    field: Field
    key: str
    is_checked: bool


@functools.lru_cache(maxsize=512)
def _reader(pattern: str) -> tuple[re.Pattern[str], tuple[Slot, ...]]:
    parts: list[str] = []
    fields: list[Field] = []
    found = pieces(pattern)
    for piece, following in zip(found, [*found[1:], None], strict=True):
        if isinstance(piece, Literal):
            parts.append(re.escape(piece.text))
        else:
            fields.append(piece)
            parts.append(f"({_readable(piece, _is_number(following))})")
    return re.compile("".join(parts), re.IGNORECASE | re.ASCII), tuple(_slots(fields))


def _slots(fields: list[Field]) -> Iterator[Slot]:
    keys = [_key(field) for field in fields]
    determining = _determining(frozenset(keys))
    for field, key in zip(fields, keys, strict=True):
        is_free = field.letter in _ZONES or field.letter == "S"
        yield Slot(field, key, not is_free and (key not in determining or keys.count(key) > 1))


def _key(field: Field) -> str:
    """What the field counts, as its most common letter: days of the week are all `E`."""
    if field.letter == "u":
        return "y" if field.count > 1 else "E"
    return {"L": "M", "q": "Q", "e": "E", "c": "E"}.get(field.letter, field.letter)


def _determining(keys: frozenset[str]) -> frozenset[str]:
    """The fields that determine the moment, and so agree with it by construction."""
    day = "Md" if keys & {"M", "d"} else ("" if "D" in keys else ("wYE" if "w" in keys else "Q"))
    hour = "H" if "H" in keys else ("" if "k" in keys else "haK" if "h" in keys else "Ka")
    if "h" in keys and "K" in keys:
        hour = ""
    clock = "A" if "A" in keys else f"{hour}msS"
    return frozenset(f"y{day}{clock}S")


def _is_number(piece: Literal | Field | None) -> bool:
    return isinstance(piece, Field) and piece.letter in _NUMERIC and not piece.is_name


def _readable(field: Field, number_follows: bool) -> str:
    letter, count = field.letter, field.count
    if _is_number(field):
        if number_follows:
            return rf"\d{{{count}}}"
        return rf"\d{{1,{max(count, _WIDTHS.get(letter, 2))}}}"
    if letter == "a":
        return "|".join(map(re.escape, _words("a")))
    if letter == "G":
        return "|".join(sorted(map(re.escape, _words("G")), key=len, reverse=True))
    if field.is_name and (count < 5 or letter in "Qq"):
        narrow = names(letter)[2] if letter in "Qq" else []
        return "|".join([*sorted(_words(letter), key=len, reverse=True), *narrow])
    if letter == "z" and count == 4:
        return "|".join([*map(re.escape, full_names()), _ZONE_NAME])
    if letter == "Z" and count == 3:
        return rf"Z|{_ZONE_NAME}"
    if letter in _ZONES:
        return _ZONES[letter]
    raise Failure(f"`{letter * count}` can format a date, but not parse one")


def read(text: str, pattern: str) -> Reading:
    """Parse `text` by the pattern; missing parts are taken from 1970-01-01T00:00."""
    reader, slots = _reader(pattern)
    found = reader.fullmatch(text.strip())
    if not found:
        message = f"`{text[:80]}` does not match the date pattern `{pattern}`"
        raise Failure(message, _letters_hint(pattern))
    written = found.groups()
    try:
        moment = _moment(_numbers(slots, written))
        for slot, part in zip(slots, written, strict=True):
            if slot.is_checked:
                _check(slot.field, part, moment)
        return _with_zone(moment, slots, written)
    except (ValueError, OverflowError) as error:
        message = f"`{text[:80]}` does not match the date pattern `{pattern}`: {error}"
        raise Failure(message, _letters_hint(pattern)) from None


def _letters_hint(pattern: str) -> str:
    """Letters that mean something else than most people expect."""
    letters = re.sub(r"'[^']*'", "", pattern)
    if "%" in letters:
        return "patterns are written as in Java: dd/MM/yyyy HH:mm:ss"
    if "D" in letters and "d" not in letters:
        return "`D` is the day of the year; write `d` for the day of the month"
    if "m" in letters and "M" not in letters and not set("Hhk") & set(letters):
        return "`m` is the minute; write `M` for the month"
    return ""


_CLOCK = "yMdHmsS"
_FIRST_MOMENT = ("1970", "1", "1", "0", "0", "0", "0")


@functools.lru_cache(maxsize=512)
def _plain_places(pattern: str) -> tuple[int | None, ...] | None:
    """Where a pattern has year, month, day, ..., if it has nothing but plain numbers of these."""
    _, slots = _reader(pattern)
    letters = [slot.field.letter for slot in slots]
    is_plain = len(set(letters)) == len(letters) and all(
        slot.field.letter in _CLOCK
        and not slot.field.is_name
        and not slot.is_checked
        and (slot.field.letter, slot.field.count) != ("y", 2)
        for slot in slots
    )
    if not is_plain:
        return None
    return tuple(letters.index(letter) if letter in letters else None for letter in _CLOCK)


def is_plain_pattern(pattern: Any) -> bool:
    """Whether `read_plainly` can read dates of this pattern."""
    try:
        return pattern.__class__ is str and _plain_places(pattern) is not None
    except Failure:
        return False


def read_plainly(text: str, pattern: str) -> DateTime:
    """The instant in UTC by a plain pattern; raises if the text does not match it."""
    places = _plain_places(pattern)
    found = _reader(pattern)[0].fullmatch(text.strip())
    if found is None or places is None:
        raise ValueError
    written = found.groups()
    year, month, day, hour, minute, second, fraction = [
        first if place is None else written[place]
        for first, place in zip(_FIRST_MOMENT, places, strict=True)
    ]
    clock = int(hour), int(minute), int(second), int(fraction.ljust(3, "0")[:3]) * 1000
    return DateTime(int(year), int(month), int(day), *clock, UTC)


# --- date and time of day ---


def _numbers(slots: tuple[Slot, ...], written: tuple[str, ...]) -> dict[str, int]:
    """The parts as numbers, by what they count."""
    found: dict[str, int] = {}
    for slot, part in zip(slots, written, strict=True):
        key = slot.key
        if key in "yY":
            found[key] = _year(slot.field, part)
        elif key == "S":
            found[key] = int(part.ljust(3, "0")[:3])
        elif key not in _ZONES:
            found[key] = int(part) if part.isdigit() else _words(slot.field.letter)[part.lower()]
    return found


@functools.cache
def _words(letter: str) -> dict[str, int]:
    """The words that a letter allows -> their numbers."""
    if letter == "a":
        return {word: place for place, half in enumerate("ap") for word in _dotted(half + "m")}
    if letter == "G":
        after = dict.fromkeys(["anno domini", "a", *_dotted("ad"), *_dotted("ace")], 1)
        return after | dict.fromkeys(["before christ", "b", *_dotted("bc"), *_dotted("bce")], 0)
    short, full, _ = names(letter)
    found = {name.lower(): place for known in (short, full) for place, name in enumerate(known, 1)}
    return found | ({"sept": 9} if letter in "ML" else {})


def _dotted(word: str) -> list[str]:
    """`am` with and without dots."""
    spelt = [""]
    for letter in word:
        spelt = [before + letter + dot for before in spelt for dot in ("", ".")]
    return spelt


def _year(field: Field, part: str) -> int:
    """Two digits mean a year between 80 years ago and 20 years ahead."""
    year = int(part)
    if field.count != 2 or len(part) > 2:
        return year
    this_year = datetime.now(UTC).year
    year += this_year // 100 * 100
    return year - 100 if year > this_year + 20 else year


def _moment(parts: dict[str, int]) -> LocalDateTime:
    day = _day(parts)
    if "A" in parts:
        clock = timedelta(milliseconds=parts["A"])
        if clock >= timedelta(days=1):
            raise ValueError("a day has only 86,400,000 milliseconds")
        return LocalDateTime(day.year, day.month, day.day) + clock
    millisecond = parts.get("S", parts.get("n", 0) // 1_000_000)
    minute, second = parts.get("m", 0), parts.get("s", 0)
    clock_parts = (_hour(parts), minute, second, millisecond * 1000)
    return LocalDateTime(day.year, day.month, day.day, *clock_parts)


def _day(parts: dict[str, int]) -> date:
    year = parts.get("y", parts.get("Y", 1970))
    if "M" in parts or "d" in parts:
        return date(year, parts.get("M", parts.get("Q", 1) * 3 - 2), parts.get("d", 1))
    if "D" in parts:
        if not 1 <= parts["D"] <= 366:
            raise ValueError("the day of the year must be 1 to 366")
        return date(year, 1, 1) + timedelta(days=parts["D"] - 1)
    if "w" in parts:
        week_year = parts.get("Y", year)
        return date.fromisocalendar(week_year, parts["w"], parts.get("E", 1))
    return date(year, parts.get("Q", 1) * 3 - 2, 1)


def _hour(parts: dict[str, int]) -> int:
    if "H" in parts:
        return parts["H"]
    if "k" in parts:
        return parts["k"] % 24
    if "h" in parts and not 1 <= parts["h"] <= 12:
        raise ValueError("the hour must be 1 to 12")
    if "K" in parts and not 0 <= parts["K"] <= 11:
        raise ValueError("the hour must be 0 to 11")
    return parts.get("h", parts.get("K", 0)) % 12 + 12 * parts.get("a", 0)


def _check(field: Field, part: str, moment: datetime) -> None:
    """Raises ValueError if the part contradicts the moment."""
    count = number_reader(field)(moment)
    wanted = int(part) if part.isdigit() else _words(field.letter)[part.lower()]
    if field.letter in "yYu" and field.count == 2 and len(part) == 2:
        count %= 100
    if field.letter == "n":
        count, wanted = count // 1_000_000, wanted // 1_000_000
    if count != wanted:
        raise ValueError(f"`{part}` does not agree with {moment:%Y-%m-%d %H:%M}")


# --- zone ---


def offset_of(text: str) -> tzinfo | None:
    """The zone of `Z`, `+02:00` or `GMT-5`; None if the text is the name of a zone."""
    if text.upper() in ("Z", "GMT", "UTC"):
        return UTC
    found = _FIXED.fullmatch(text)
    if not found:
        return None
    sign, hours, minutes, seconds = found.groups()
    return offset_zone(sign, int(hours), int(minutes or 0), int(seconds or 0))


def _with_zone(moment: LocalDateTime, slots: tuple[Slot, ...], written: tuple[str, ...]) -> Reading:
    offset: tzinfo | None = None
    named: NamedZone | None = None
    for slot, text in zip(slots, written, strict=True):
        if slot.key not in _ZONES:
            continue
        if (fixed := offset_of(text)) is not None:
            offset = fixed
        else:
            named = zone_called(text)
    return Reading(moment, offset, named)
