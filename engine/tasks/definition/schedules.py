"""Check the schedule of a task file: whether it says when, and whether that time ever comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from engine.sdk.quantities import parse_duration
from engine.sdk.settings import shown
from engine.tasks.definition.problem_collector import ProblemCollector
from engine.tasks.definition.schedule import GRACE, check_cron, zone_of
from engine.tasks.definition.task import Schedule

_PATH = ("schedule",)
_ISO_HINT = "write it as 2026-12-24T18:00"


def read_schedule(
    given: dict[str, Any], named: Mapping[str, Any], collector: ProblemCollector
) -> Schedule:
    """The schedule, as far as it is valid; of the `named` values, `given` could be converted."""
    zone = collector.parsed((*_PATH, "timezone"), given.get("timezone", "UTC"), zone_of) or UTC
    for name, parse in _parsers(zone).items():
        if name in given:
            given[name] = collector.parsed((*_PATH, name), given[name], parse)
    _check_kinds(named, collector)
    _check_times(given, collector)
    return Schedule(**given)


def _parsers(zone: Any) -> Mapping[str, Callable[[Any], Any]]:
    return {
        "every": _interval,
        "grace": parse_duration,
        "timeout": parse_duration,
        "cron": _cron,
        "at": partial(_time, of_day=time.min, zone=zone),
        "until": partial(_time, of_day=time.max, zone=zone),
    }


def _interval(value: float | str) -> float:
    """Seconds, at least 1. Raises ValueError."""
    seconds = parse_duration(value)
    if seconds < 1:
        raise ValueError(f"{shown(value)} is out of range; a task can run every second at most")
    return seconds


def _cron(text: str) -> str:
    """The expression. Raises ValueError if it is not cron, or never matches."""
    try:
        check_cron(text)
    except ValueError:
        if _has_impossible_day(text):
            remedy = "use 'L' for the last day of a month"
            raise ValueError(
                f"{shown(text)} never matches: the month does not have that day; {remedy}"
            ) from None
        raise
    return text


def _has_impossible_day(text: str) -> bool:
    """Whether day and month are each valid without the other."""
    fields = text.split()
    if len(fields) != 5:
        return False
    minute, hour, day, month, weekday = fields
    return all(
        _is_cron(" ".join(each))
        for each in ((minute, hour, day, "*", weekday), (minute, hour, "*", month, weekday))
    )


def _is_cron(text: str) -> bool:
    try:
        check_cron(text)
    except ValueError:
        return False
    return True


def _check_kinds(named: Mapping[str, Any], collector: ProblemCollector) -> None:
    kinds = [name for name in ("every", "cron", "at") if named.get(name) is not None]
    hint = "give 'every', 'cron' or 'at', or 'at' and 'every'"
    if not kinds:
        collector.report("missing-setting", _PATH, "'schedule' does not say when to run", hint)
    elif "cron" in kinds and len(kinds) > 1:
        message = f"'cron' cannot be combined with '{kinds[0] if kinds[0] != 'cron' else kinds[1]}'"
        collector.report("bad-setting", (*_PATH, "cron"), message, hint)


def _check_times(given: Mapping[str, Any], collector: ProblemCollector) -> None:
    begin, end = given.get("at"), given.get("until")
    if begin and end and end < begin:
        message = "'until' is before 'at': the task would never run"
        collector.report("bad-setting", (*_PATH, "until"), message)
    elif end and _is_over(end, given):
        _warn_past("until", "correct it, or leave it out to run without end", collector)
    elif begin and given.get("every") is None and _is_over(begin, given):
        _warn_past("at", "correct it, or add 'every' to run repeatedly", collector)


def _is_over(moment: datetime, given: Mapping[str, Any]) -> bool:
    """Whether the time has passed, even for a run that starts late."""
    grace = given.get("grace")
    return moment + (GRACE if grace is None else timedelta(seconds=grace)) < datetime.now(UTC)


def _warn_past(name: str, hint: str, collector: ProblemCollector) -> None:
    message = f"{name!r} is in the past: the task will never run"
    collector.report("bad-setting", (*_PATH, name), message, hint, severity="warning")


def _time(text: str, of_day: time, zone: Any) -> datetime:
    """A time in UTC; a date alone means its first or last moment. Raises ValueError."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
            moment = datetime.combine(date.fromisoformat(text.strip()), of_day)
        else:
            moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{shown(text)} is not a time; {_ISO_HINT}") from None
