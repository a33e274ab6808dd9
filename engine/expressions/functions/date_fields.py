"""The fields of dates: reading, adding and setting them."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from engine.expressions.dates import (
    epoch_milliseconds,
    instant,
    local_date,
    local_date_time,
    local_time,
    normalized,
)
from engine.expressions.failures import Failure
from engine.expressions.functions.dates import (
    DATES,
    LOCAL_DATE_TIMES,
    LOCAL_DATES,
    LOCAL_TIMES,
    SAMPLES,
)
from engine.expressions.functions.declare import Example, Family
from engine.expressions.kinds import NumberLike, Same
from engine.expressions.values import to_number

__all__ = ["DATES", "LOCAL_DATES", "LOCAL_DATE_TIMES", "LOCAL_TIMES"]
_WITH_DATE = (DATES, LOCAL_DATES, LOCAL_DATE_TIMES)
_WITH_TIME = (DATES, LOCAL_DATE_TIMES, LOCAL_TIMES)


def _declare(
    families: tuple[Family, ...],
    name: str,
    summary: str,
    call: Callable[..., Any],
    rest: str,
    result: Any,
) -> None:
    """Declare the method in each family, with an example on the family's sample."""
    for family in families:
        example = Example(f"{SAMPLES[family.title]}.{name}{rest}", result)
        family.method(name, summary, example)(call)


# --- reading ---


def _getter(read: Callable[[Any], int]) -> Callable[[Any], Any]:
    def get(value: Any) -> int:
        return read(value)

    return get


_DATE_GETTERS: tuple[tuple[str, str, Callable[[Any], int], int], ...] = (
    ("FullYear", "The year.", lambda value: value.year, 2020),
    ("Month", "The month, 1 to 12.", lambda value: value.month, 1),
    ("MonthFromZero", "The month, 0 to 11.", lambda value: value.month - 1, 0),
    ("Date", "The day of the month.", lambda value: value.day, 15),
    ("Day", "The day of the week, 0 (Sunday) to 6.", lambda value: value.isoweekday() % 7, 3),
)
_TIME_GETTERS: tuple[tuple[str, str, Callable[[Any], int], int], ...] = (
    ("Hours", "The hour, 0 to 23.", lambda value: value.hour, 10),
    ("Minutes", "The minute.", lambda value: value.minute, 30),
    ("Seconds", "The second.", lambda value: value.second, 45),
    ("Milliseconds", "The millisecond.", lambda value: value.microsecond // 1000, 678),
)


def _in_utc(read: Callable[[Any], int]) -> Callable[[Any], int]:
    return lambda value: read(value.astimezone(UTC))


for _getters, _families in ((_DATE_GETTERS, _WITH_DATE), (_TIME_GETTERS, _WITH_TIME)):
    for _name, _help, _read, _result in _getters:
        _declare(_families, f"get{_name}", _help, _getter(_read), "()", _result)
        _utc_help = f"{_help.removesuffix('.')}, in UTC."
        _declare((DATES,), f"getUTC{_name}", _utc_help, _getter(_in_utc(_read)), "()", _result)


def get_time(value: datetime) -> int:
    return epoch_milliseconds(value)


def get_timezone_offset(value: datetime) -> int:
    return -int((value.utcoffset() or timedelta()).total_seconds() // 60)


_declare((DATES,), "getTime", "Milliseconds since 1970 in UTC.", get_time, "()", 1579084245678)
_declare(
    (DATES,),
    "getTimezoneOffset",
    "UTC minus the local time of the zone, in minutes.",
    get_timezone_offset,
    "()",
    0,
)


# --- adding ---


def _count(value: Any) -> float:
    number = to_number(value)
    if not -1e15 <= number <= 1e15:
        raise Failure("the amount must be a number")
    return number if isinstance(number, int) else float(number)


def _moved(value: Any, step: timedelta, by_calendar: bool) -> Any:
    """`value` moved by a duration: days by the calendar, shorter times by the clock."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return local_date_time(value + step)
        if by_calendar:
            return normalized((value + step).replace(fold=value.fold))
        return instant(value.astimezone(UTC) + step, value.tzinfo)
    if isinstance(value, date):
        return local_date(value + step)
    return local_time(datetime.combine(date(2000, 1, 1), value) + step % timedelta(days=1))


def _plus(unit: str, sign: int) -> Callable[[Any, Any], Any]:
    def plus(value: Any, amount: NumberLike) -> Same:
        number = sign * _count(amount)
        try:
            return _moved(value, timedelta(**{unit: number}), unit in ("days", "weeks"))
        except (OverflowError, ValueError):
            raise Failure("the date would be out of range (years 1 to 9999)") from None

    return plus


def _plus_months(factor: int) -> Callable[[Any, Any], Any]:
    def plus(value: Any, amount: NumberLike) -> Same:
        months = value.year * 12 + value.month - 1 + factor * int(_count(amount))
        year, month = divmod(months, 12)
        if not 1 <= year <= 9999:
            raise Failure("the date would be out of range (years 1 to 9999)")
        last = calendar.monthrange(year, month + 1)[1]
        return _rebuilt(value.replace(year=year, month=month + 1, day=min(value.day, last)))

    return plus


def _rebuilt(value: Any) -> Any:
    if isinstance(value, datetime):
        return local_date_time(value) if value.tzinfo is None else normalized(value)
    return local_date(value) if isinstance(value, date) else local_time(value)


_EXACT = (
    ("Millis", "milliseconds", "getMilliseconds()", 2, 680, 676),
    ("Seconds", "seconds", "getSeconds()", 2, 47, 43),
    ("Minutes", "minutes", "getMinutes()", 2, 32, 28),
    ("Hours", "hours", "getHours()", 2, 12, 8),
)
for _name, _unit, _read_back, _amount, _later, _earlier in _EXACT:
    for _verb, _word, _sign, _result in (
        ("plus", "later", 1, _later),
        ("minus", "earlier", -1, _earlier),
    ):
        _help = f"The given number of {_unit} {_word}."
        _rest = f"({_amount}).{_read_back}"
        _declare(_WITH_TIME, f"{_verb}{_name}", _help, _plus(_unit, _sign), _rest, _result)
for _verb, _word, _sign in (("plus", "later", 1), ("minus", "earlier", -1)):
    _help = f"The given number of milliseconds {_word}."
    _rest, _result = "(1000).getSeconds()", 45 + _sign
    _declare(_WITH_TIME, _verb, _help, _plus("milliseconds", _sign), _rest, _result)
    for _name, _unit, _amount, _days in (("Days", "days", 2, 2), ("Weeks", "weeks", 1, 7)):
        _rest, _result = f"({_amount}).getDate()", 15 + _sign * _days
        _declare(
            _WITH_DATE,
            f"{_verb}{_name}",
            f"The given number of {_unit} {_word}.",
            _plus(_unit, _sign),
            _rest,
            _result,
        )
    _declare(
        _WITH_DATE,
        f"{_verb}Months",
        f"The given number of months {_word}, at most the last day of the month.",
        _plus_months(_sign),
        "(12).getFullYear()",
        2020 + _sign,
    )
    _declare(
        _WITH_DATE,
        f"{_verb}Years",
        f"The given number of years {_word}, at most the last day of the month.",
        _plus_months(12 * _sign),
        "(1).getFullYear()",
        2020 + _sign,
    )


# --- setting ---


def _with(field: str, low: int, high: int, factor: int = 1) -> Callable[[Any, Any], Any]:
    def with_(value: Any, number: NumberLike) -> Same:
        wanted = _count(number)
        if not low <= wanted <= high or wanted != int(wanted):
            raise Failure(f"the {field} must be {low} to {high:,}, got {wanted}")
        try:
            return _rebuilt(value.replace(**{field: int(wanted) * factor}))
        except ValueError:
            return _clamped(value, field, int(wanted))

    return with_


def _clamped(value: Any, field: str, wanted: int) -> Any:
    """Another year or month may have fewer days; a day that the month does not have is an error."""
    if field == "day":
        raise Failure(f"the month has no day {wanted}")
    return _rebuilt(value.replace(**{field: wanted, "day": _last_day(value, field, wanted)}))


def _last_day(value: Any, field: str, wanted: int) -> int:
    year = wanted if field == "year" else value.year
    month = wanted if field == "month" else value.month
    return calendar.monthrange(year, month)[1]


def with_day_of_year(value: Any, number: NumberLike) -> Same:
    wanted = _count(number)
    if not 1 <= wanted <= 365 + calendar.isleap(value.year):
        raise Failure(f"the year has no day {wanted}")
    day = date(value.year, 1, 1) + timedelta(days=int(wanted) - 1)
    return _rebuilt(value.replace(month=day.month, day=day.day))


def with_day_of_week(value: Any, number: NumberLike) -> Same:
    wanted = _count(number)
    if not 1 <= wanted <= 7:
        raise Failure(f"the day of the week must be 1 (Monday) to 7, got {wanted}")
    return _moved(value, timedelta(days=int(wanted) - value.isoweekday()), by_calendar=True)


_declare(
    _WITH_DATE,
    "withYear",
    "The same with another year.",
    _with("year", 1, 9999),
    "(2024).getFullYear()",
    2024,
)
_declare(
    _WITH_DATE,
    "withMonthOfYear",
    "The same with another month, 1 to 12.",
    _with("month", 1, 12),
    "(6).getMonth()",
    6,
)
_declare(
    _WITH_DATE,
    "withDayOfMonth",
    "The same with another day of the month.",
    _with("day", 1, 31),
    "(1).getDate()",
    1,
)
_declare(
    _WITH_DATE,
    "withDayOfYear",
    "The same with another day of the year.",
    with_day_of_year,
    "(32).getMonth()",
    2,
)
_declare(
    _WITH_DATE,
    "withDayOfWeek",
    "The same with another day of the week, 1 (Monday) to 7.",
    with_day_of_week,
    "(1).getDate()",
    13,
)
_declare(
    _WITH_TIME,
    "withHourOfDay",
    "The same with another hour.",
    _with("hour", 0, 23),
    "(0).getHours()",
    0,
)
_declare(
    _WITH_TIME,
    "withMinuteOfHour",
    "The same with another minute.",
    _with("minute", 0, 59),
    "(0).getMinutes()",
    0,
)
_declare(
    _WITH_TIME,
    "withSecondOfMinute",
    "The same with another second.",
    _with("second", 0, 59),
    "(0).getSeconds()",
    0,
)
_declare(
    _WITH_TIME,
    "withMillisOfSecond",
    "The same with another millisecond.",
    _with("microsecond", 0, 999, 1000),
    "(1).getMilliseconds()",
    1,
)
