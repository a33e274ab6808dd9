"""Cron expressions as people write them, translated to the five fields that cronsim takes.

Beyond the usual five fields: ranges that wrap around (`FRI-SUN`, `22-4`), full names, `?` for a
day or weekday that does not matter (Quartz), and macros such as `@daily`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_WEEKDAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
    *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
_TERM = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\w+))?", re.ASCII)


def _numbers(names: tuple[str, ...], first: int) -> dict[str, int]:
    return {
        name: number for number, whole in enumerate(names, first) for name in (whole, whole[:3])
    }


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    names: Mapping[str, int]
    allows_any: bool = False
    """Whether `?` may stand for it."""


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day", 1, 31, {}, allows_any=True),
    _Field("month", 1, 12, _numbers(_MONTHS, 1)),
    _Field("weekday", 0, 7, _numbers(_WEEKDAYS, 0), allows_any=True),
)
_WEEKDAY = _FIELDS[-1]


class CronError(Exception):
    """The text is not a cron expression; the message says why."""


@lru_cache(256)
def cron_fields(text: str) -> str:
    """The five fields for cronsim. Raises CronError.

    Does not check that the days exist: 30 February is accepted.
    """
    text = text.strip().upper()
    if text.startswith("@"):
        return _macro(text)
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise CronError(_bad_field_count(parts))
    return " ".join(_field(field, part) for field, part in zip(_FIELDS, parts, strict=True))


def _macro(text: str) -> str:
    fields = MACROS.get(text.lower())
    if fields is None:
        raise CronError(f"'{text.lower():.20}' is not one of {', '.join(MACROS)}")
    return fields


def _bad_field_count(parts: list[str]) -> str:
    counted = f"it has {len(parts)} field{'s' if len(parts) != 1 else ''} instead of 5"
    if len(parts) not in (6, 7) or "?" not in parts:
        return counted
    shorter = " ".join(parts[1:6]).replace("?", "*")
    return (
        f"{counted}; Quartz puts seconds first and numbers weekdays from 1 for Sunday; "
        f"without seconds it is '{shorter:.60}', with weekdays by name"
    )


def _field(field: _Field, text: str) -> str:
    if text == "?":
        if not field.allows_any:
            raise CronError(
                f"'?' is only for the day or the weekday; write '*' for the {field.name}"
            )
        return "*"
    return ",".join(_term(field, term) for term in text.split(","))


def _term(field: _Field, text: str) -> str:
    if special := _special(field, text):
        return special
    found = _TERM.fullmatch(text)
    if found is None or (found[1] == "*" and found[2]):
        raise CronError(_bad_value(field, text))
    first, last, step = found.groups()
    if step is not None and not 1 <= _integer(step) <= 99:
        raise CronError(f"the step '{step:.20}' of the {field.name} is not a number from 1 to 99")
    suffix = "" if step is None else f"/{_integer(step)}"
    if first == "*":
        return f"*{suffix}"
    start = _value(field, first)
    if last is None:
        return f"{start}{suffix}"
    end = _value(field, last)
    if start <= end:
        return f"{start}-{end}{suffix}"
    return ",".join(map(str, _wrapped(field, start, end)[:: _integer(step or "1")]))


def _special(field: _Field, text: str) -> str:
    """`L` and `LW` of days; `5L` and `MON#2` of weekdays. Empty for anything else."""
    if field.name == "day":
        return text if text in ("L", "LW") else ""
    if field is not _WEEKDAY:
        return ""
    if found := re.fullmatch(r"(\w+)#([1-5])", text, re.ASCII):
        return f"{_value(field, found[1]) % 7}#{found[2]}"
    if (found := re.fullmatch(r"(\w+)L", text, re.ASCII)) and text not in field.names:
        return f"{_value(field, found[1]) % 7}L"
    return ""


def _wrapped(field: _Field, start: int, end: int) -> list[int]:
    """The values of a range that wraps around, such as Friday to Sunday."""
    if field is _WEEKDAY:
        return [day % 7 for day in range(start, 7 + end + 1)] if start < 7 else [*range(end + 1)]
    return [*range(start, field.most + 1), *range(field.least, end + 1)]


def _value(field: _Field, text: str) -> int:
    value = field.names.get(text, _integer(text))
    if not field.least <= value <= field.most:
        raise CronError(_bad_value(field, text))
    return value


def _integer(text: str) -> int:
    """The number; -1 if the text is not a number of up to four digits."""
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else -1


def _bad_value(field: _Field, text: str) -> str:
    names = f", or {'JAN to DEC' if field.name == 'month' else 'SUN to SAT'}" if field.names else ""
    article = "an" if field.name == "hour" else "a"
    return f"'{text:.20}' is not {article} {field.name} ({field.least} to {field.most}{names})"
