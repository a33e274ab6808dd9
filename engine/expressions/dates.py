"""The date values: an instant with a zone, and dates and times without one.

They are subclasses of the `datetime` classes, so that a document may hold them and msgspec hands
them to `json_hook`; times are kept to the millisecond, as on the JVM.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from engine.errors import ConfigurationError
from engine.expressions.failures import Failure
from engine.expressions.suggestions import did_you_mean
from engine.late_regex import late_regex

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_ALIASES = {
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "MDT": "America/Denver",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "EDT": "America/New_York",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "BST": "Europe/London",
    "CEST": "Europe/Paris",
    "ECT": "Europe/Paris",
    "AET": "Australia/Sydney",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
    "CTT": "Asia/Shanghai",
}
_OFFSET = late_regex(r"(?:UTC|GMT|UT)?([+-])(\d{1,2}):?(\d{2})?(?::?(\d{2}))?$", re.IGNORECASE)
_COMMON_ZONES = [
    "UTC",
    "GMT",
    "Europe/London",
    "Europe/Paris",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Australia/Sydney",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "US/Eastern",
    "US/Central",
    "US/Mountain",
    "US/Pacific",
    "PST",
    "EST",
]


class DateTime(datetime):
    """An instant, shown in the zone it carries."""

    def __str__(self) -> str:
        return iso_text(self)


class LocalDateTime(datetime):
    """Date and time of day, without a zone."""

    def __str__(self) -> str:
        return iso_text(self)


class LocalDate(date):
    """A day, without a zone."""


class LocalTime(time):
    """A time of day, without a zone."""

    def __str__(self) -> str:
        return iso_text(self)


@functools.lru_cache(maxsize=512)
def zone(name: str) -> tzinfo:
    """The time zone called `name`: `US/Eastern`, `PST`, `UTC`, `+02:00`, `GMT+2`."""
    text = name.strip()
    if text.upper() in ("UTC", "Z", "GMT", "UT"):
        return UTC
    if found := _OFFSET.match(text):
        return offset_zone(found[1], int(found[2]), int(found[3] or 0), int(found[4] or 0))
    try:
        from zoneinfo import ZoneInfo  # takes long to import, and most runs know UTC only

        return ZoneInfo(_ALIASES.get(text.upper(), text))
    except (ValueError, OSError, LookupError):
        hint = (
            did_you_mean(name[:60], _COMMON_ZONES) or "write it as in Europe/Paris, PST or +02:00"
        )
        raise Failure(f"there is no time zone `{name[:60]}`", hint) from None


def check_timezone(name: str) -> None:
    """Raise ConfigurationError if there is no time zone `name`."""
    try:
        zone(name)
    except Failure as failure:
        raise ConfigurationError(f"{failure.message}; {failure.hint}") from None


def offset_zone(sign: str, hours: int, minutes: int = 0, seconds: int = 0) -> tzinfo:
    if hours > 18 or minutes > 59 or seconds > 59:
        raise Failure(f"`{sign}{hours:02}:{minutes:02}` is not an offset from UTC")
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not size:
        return UTC
    return timezone(-size if sign == "-" else size)


def instant(value: datetime, where: tzinfo | None = None) -> DateTime:
    """`value` as our class, in the zone `where` (or its own), to the millisecond."""
    try:
        moved = value if where is None else value.astimezone(where)
    except (OverflowError, ValueError):
        raise Failure("the date is out of range (years 1 to 9999)") from None
    milliseconds = moved.microsecond // 1000 * 1000
    return DateTime(
        moved.year,
        moved.month,
        moved.day,
        moved.hour,
        moved.minute,
        moved.second,
        milliseconds,
        moved.tzinfo or UTC,
        fold=moved.fold,
    )


def normalized(value: datetime) -> DateTime:
    """`value` on the clock of its zone.

    A time that a clock change skips becomes the one an hour later; one that occurs twice keeps
    its `fold`.
    """
    if value.__class__ is DateTime and value.tzinfo is UTC and not value.microsecond % 1000:
        return value
    if value.year in (1, 9999):
        instant(value, UTC)  # raises where UTC would leave the years 1 to 9999
    if not isinstance(value.tzinfo, timezone):
        before, after = (value.replace(fold=fold).utcoffset() for fold in (0, 1))
        if before is not None and after is not None and before < after:
            return instant(instant(value.replace(fold=0), UTC), value.tzinfo)
        if before == after:
            value = value.replace(fold=0)
    return instant(value)


def from_epoch(milliseconds: int | Decimal | float, where: tzinfo) -> DateTime:
    try:
        return instant(EPOCH + timedelta(milliseconds=int(milliseconds)), where)
    except (OverflowError, ValueError):
        message = f"{milliseconds} milliseconds is outside the range of dates (years 1 to 9999)"
        raise Failure(message) from None


def epoch_milliseconds(value: datetime) -> int:
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return (moment - EPOCH) // MILLISECOND


def local_date_time(value: datetime) -> LocalDateTime:
    milliseconds = value.microsecond // 1000 * 1000
    return LocalDateTime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, milliseconds
    )


def local_date(value: date) -> LocalDate:
    return LocalDate(value.year, value.month, value.day)


def local_time(value: datetime | time) -> LocalTime:
    milliseconds = value.microsecond // 1000 * 1000
    return LocalTime(value.hour, value.minute, value.second, milliseconds)


def iso_text(value: Any) -> str:
    """ISO 8601 with milliseconds; an instant ends in `Z` or its offset."""
    if isinstance(value, datetime):
        text = f"{value.year:04}-{value.month:02}-{value.day:02}T{_time_text(value)}"
        return text if value.tzinfo is None else text + offset_text(value)
    if isinstance(value, time):
        return _time_text(value)
    return f"{value.year:04}-{value.month:02}-{value.day:02}"


def _time_text(value: datetime | time) -> str:
    seconds = f"{value.second:02}.{value.microsecond // 1000:03}"
    return f"{value.hour:02}:{value.minute:02}:{seconds}"


def offset_text(value: datetime, colon: str = ":", zero: str = "Z") -> str:
    offset = int((value.utcoffset() or timedelta()).total_seconds())
    if offset == 0 and zero:
        return zero
    minutes, seconds = divmod(abs(offset), 60)
    sign = "-" if offset < 0 else "+"
    text = f"{sign}{minutes // 60:02}{colon}{minutes % 60:02}"
    return f"{text}{colon}{seconds:02}" if seconds else text


def utc_text(value: datetime) -> str:
    """An instant as JSON shows it: `2017-03-22T17:58:03.485Z`."""
    return iso_text(value.astimezone(UTC)) if value.tzinfo is not None else iso_text(value)
