"""Dates: making them and formatting them. Their fields are in `date_fields`."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from engine.expressions.date_patterns import pieces
from engine.expressions.date_reading import Reading, read
from engine.expressions.date_writing import written
from engine.expressions.dates import (
    DateTime,
    LocalDate,
    LocalDateTime,
    LocalTime,
    from_epoch,
    instant,
    iso_text,
    local_date,
    local_date_time,
    local_time,
    zone,
)
from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example, Family
from engine.expressions.iso_dates import read_iso, read_iso_time
from engine.expressions.kinds import NumberLike, TextLike
from engine.expressions.scope import Context
from engine.expressions.values import (
    INFINITY,
    NUMBERS,
    Number,
    kind_of,
    scalar_text,
    to_integer,
    to_text,
)

DATES = Family(
    "Date",
    "Instants with a zone. Every method returns a new date.",
    receivers=(DateTime, datetime),
    namespace="Date",
)
LOCAL_DATES = Family(
    "LocalDate", "Days without a zone.", receivers=(LocalDate, date), namespace="LocalDate"
)
LOCAL_DATE_TIMES = Family(
    "LocalDateTime",
    "Date and time of day without a zone.",
    receivers=(LocalDateTime,),
    namespace="LocalDateTime",
)
LOCAL_TIMES = Family(
    "LocalTime", "Times of day without a zone.", receivers=(LocalTime, time), namespace="LocalTime"
)
SAMPLES = {
    "Date": "Date.parse('2020-01-15T10:30:45.678Z')",
    "LocalDate": "LocalDate.parse('2020-01-15')",
    "LocalDateTime": "LocalDateTime.parse('2020-01-15T10:30:45.678')",
    "LocalTime": "LocalTime.parse('10:30:45.678')",
}


def check_pattern(text: str) -> None:
    """Raises Failure if it is not a valid date pattern."""
    pieces(text)


# --- making ---


@DATES.function("now", "The current instant.", Example("Date.now() instanceof Date", True))
def date_now(context: Context) -> DateTime:
    return instant(context.now(), context.zone)


@DATES.function(
    "parse",
    "The instant that a string describes (ISO 8601, or a Java date pattern), or of a number of "
    "milliseconds since 1970. Without a zone in the text, the engine's zone applies.",
    Example("Date.parse('2020-01-15T10:30:45.678Z').getTime()", 1579084245678),
    Example("Date.parse('15/01/2020', 'dd/MM/yyyy').toString('yyyy-MM-dd')", "2020-01-15"),
    Example("Date.parse(20160923, 'yyyyMMdd').toString('yyyy-MM-dd')", "2016-09-23"),
)
def date_parse(context: Context, value: Any, pattern: TextLike = None) -> DateTime:
    if isinstance(value, datetime):
        return instant(value if value.tzinfo else value.replace(tzinfo=context.zone), context.zone)
    if pattern is None and value.__class__ in NUMBERS:
        return _of_number(value, context.zone)
    return instant(_reading(value, pattern).moment(context.zone), context.zone)


def _of_number(value: Number, where: tzinfo) -> DateTime:
    if value != value or value in (INFINITY, -INFINITY):
        raise Failure(f"{to_text(value)} is not a date")
    return from_epoch(value, where)


def _reading(value: Any, pattern: Any) -> Reading:
    if value is None:
        raise Failure("expected a date as a string, got null")
    text = scalar_text(value, "a date as a string")
    return read_iso(text) if pattern is None else read(text, scalar_text(pattern, "a date pattern"))


@DATES.function(
    "UTC",
    "The instant of year, month (from 1), day, hour, minute, second and millisecond in UTC.",
    Example("Date.UTC(2020, 1, 15, 10, 30).getTime()", 1579084200000),
)
def date_utc(
    context: Context,
    year: NumberLike,
    month: NumberLike,
    day: NumberLike = 1,
    hours: NumberLike = 0,
    minutes: NumberLike = 0,
    seconds: NumberLike = 0,
    millis: NumberLike = 0,
) -> DateTime:
    y, m, d, h, mi, s, ms = map(to_integer, (year, month, day, hours, minutes, seconds, millis))
    try:
        moment = datetime(y, m, d, h, mi, s, ms * 1000, UTC)
    except (ValueError, OverflowError) as error:
        raise Failure(f"not a valid date: {error}") from None
    return instant(moment, context.zone)


@LOCAL_DATES.function("now", "Today.", Example("LocalDate.now() instanceof LocalDate", True))
def local_date_now(context: Context) -> LocalDate:
    return local_date(context.now().astimezone(context.zone))


@LOCAL_DATES.function(
    "parse",
    "The day that a string describes (ISO 8601, or a Java date pattern).",
    Example("LocalDate.parse('15/01/2020', 'dd/MM/yyyy').toString()", "2020-01-15"),
)
def local_date_parse(text: TextLike, pattern: TextLike = None) -> LocalDate:
    if isinstance(text, date):
        return local_date(text)
    return local_date(_reading(text, pattern).local)


@LOCAL_DATE_TIMES.function(
    "now",
    "The current date and time.",
    Example("LocalDateTime.now() instanceof LocalDateTime", True),
)
def local_date_time_now(context: Context) -> LocalDateTime:
    return local_date_time(context.now().astimezone(context.zone))


@LOCAL_DATE_TIMES.function(
    "parse",
    "The date and time that a string describes (ISO 8601, or a Java date pattern).",
    Example("LocalDateTime.parse('2020-01-15T10:30:45').toString()", "2020-01-15T10:30:45.000"),
)
def local_date_time_parse(text: TextLike, pattern: TextLike = None) -> LocalDateTime:
    if isinstance(text, datetime):
        return local_date_time(text)
    return local_date_time(_reading(text, pattern).local)


@LOCAL_TIMES.function(
    "now", "The current time.", Example("LocalTime.now() instanceof LocalTime", True)
)
def local_time_now(context: Context) -> LocalTime:
    return local_time(context.now().astimezone(context.zone))


@LOCAL_TIMES.function(
    "parse",
    "The time of day that a string describes (ISO 8601, or a Java date pattern).",
    Example("LocalTime.parse('10:30:45').toString()", "10:30:45.000"),
    Example("LocalTime.parse('3:05 PM', 'h:mm a').toString('HH:mm')", "15:05"),
)
def local_time_parse(text: TextLike, pattern: TextLike = None) -> LocalTime:
    if isinstance(text, datetime | time):
        return local_time(text)
    if pattern is None and text is not None:
        return local_time(read_iso_time(scalar_text(text, "a time as a string")))
    return local_time(_reading(text, pattern).local)


# --- formatting ---


def to_string(value: Any, pattern: Any = None) -> str:
    if pattern is None:
        return iso_text(value)
    return written(value, scalar_text(pattern, "a date pattern"))


for _family, _pattern, _text in (
    (DATES, "yyyy-MM-dd'T'HH:mm", "2020-01-15T10:30"),
    (LOCAL_DATES, "dd.MM.yyyy", "15.01.2020"),
    (LOCAL_DATE_TIMES, "EEE, d MMM yyyy h:mm a", "Wed, 15 Jan 2020 10:30 AM"),
    (LOCAL_TIMES, "HH:mm:ss", "10:30:45"),
):
    _example = f'{SAMPLES[_family.title]}.toString("{_pattern}")'
    _family.method(
        "toString",
        "The date in ISO 8601, or in the format of a Java date pattern.",
        Example(_example, _text),
    )(to_string)

_DATE_FORMATS = {
    "en-gb": "dd/MM/yyyy",
    "en-ca": "yyyy-MM-dd",
    "sv": "yyyy-MM-dd",
    "de": "d.M.yyyy",
    "fr": "dd/MM/yyyy",
    "es": "d/M/yyyy",
    "it": "d/M/yyyy",
    "pt": "dd/MM/yyyy",
    "nl": "d-M-yyyy",
    "pl": "d.MM.yyyy",
    "ja": "yyyy/M/d",
    "zh": "yyyy/M/d",
    "ko": "yyyy. M. d.",
}
_US_DATE, _US_TIME, _TIME = "M/d/yyyy", "h:mm:ss a", "HH:mm:ss"


def _locale_text(value: Any, options: Any, parts: str) -> str:
    given = _options(options)
    where = given.get("timeZone")
    if where is not None and isinstance(value, datetime) and value.tzinfo is not None:
        value = instant(value, zone(scalar_text(where, "a time zone")))
    pattern = given.get("format")
    if pattern is None:
        pattern = _default_pattern(scalar_text(given.get("locale") or "en-US"), parts)
    return written(value, scalar_text(pattern, "a date pattern"))


def _options(options: Any) -> dict[str, Any]:
    if options is None:
        return {}
    if options.__class__ is str:
        if not options.strip().startswith("{"):
            return {"locale": options}
        try:
            options = json.loads(options)
        except (ValueError, RecursionError):
            raise Failure("the options are neither JSON nor a locale") from None
    if options.__class__ is not dict:
        hint = """write {format: 'yyyy-MM-dd', timeZone: 'UTC'}"""
        raise Failure(f"expected an object of options, got {kind_of(options)}", hint)
    return options


def _default_pattern(locale: str, parts: str) -> str:
    tag = locale.replace("_", "-").lower()
    day = _DATE_FORMATS.get(tag) or _DATE_FORMATS.get(tag.split("-", maxsplit=1)[0], _US_DATE)
    clock = _US_TIME if day == _US_DATE else _TIME
    joint = " " if day == "yyyy-MM-dd" else ", "
    return {"date": day, "time": clock, "both": f"{day}{joint}{clock}"}[parts]


def to_locale_date_string(value: Any, options: Any = None) -> str:
    return _locale_text(value, options, "date")


def to_locale_time_string(value: Any, options: Any = None) -> str:
    return _locale_text(value, options, "time")


def to_locale_date_time_string(value: Any, options: Any = None) -> str:
    return _locale_text(value, options, "both")


_OPTIONS = "Options: format (a Java date pattern), timeZone, locale; as an object or as JSON text."
for _family in (DATES, LOCAL_DATES, LOCAL_DATE_TIMES):
    _family.method(
        "toLocaleDateString",
        f"The date as a string. {_OPTIONS}",
        Example(
            f"{SAMPLES[_family.title]}.toLocaleDateString({{format: 'dd.MM.yyyy'}})", "15.01.2020"
        ),
    )(to_locale_date_string)
for _family in (DATES, LOCAL_TIMES, LOCAL_DATE_TIMES):
    _family.method(
        "toLocaleTimeString",
        f"The time of day as a string. {_OPTIONS}",
        Example(f"{SAMPLES[_family.title]}.toLocaleTimeString({{format: 'HH:mm'}})", "10:30"),
    )(to_locale_time_string)
for _family in (DATES, LOCAL_DATE_TIMES):
    for _name in ("toLocaleDateTimeString", "toLocaleString"):
        _family.method(
            _name,
            f"Date and time as a string. {_OPTIONS}",
            Example(
                f"{SAMPLES[_family.title]}.{_name}({{format: 'yyyy-MM-dd HH:mm'}})",
                "2020-01-15 10:30",
            ),
        )(to_locale_date_time_string)
