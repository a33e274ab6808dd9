"""Parsing ISO 8601 dates and times, a little more leniently than the standard."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

from engine.expressions.date_reading import Reading, offset_of
from engine.expressions.dates import LocalDateTime, zone
from engine.expressions.failures import Failure
from engine.expressions.zone_names import NamedZone

_ISO_DATE = (
    r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?|(?P<month2>\d\d)(?P<day2>\d\d))?"
)
_ISO_TIME = (
    r"(?P<hour>\d{1,2}):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
)
_ISO_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?(?:\[(?P<name>[\w/+-]+)\])?"
_ISO_DATE_TIME = re.compile(rf"{_ISO_DATE}(?:[Tt ]{_ISO_TIME}{_ISO_ZONE})?", re.ASCII)
_ISO_TIME_ONLY = re.compile(rf"[Tt]?{_ISO_TIME}", re.ASCII)


def read_iso(text: str) -> Reading:
    """Parse an ISO 8601 date, with or without time and zone."""
    found = _ISO_DATE_TIME.fullmatch(text.strip())
    if not found:
        hint = "pass its pattern as the second argument: parse(text, 'dd/MM/yyyy')"
        raise Failure(f"`{text[:80]}` is not an ISO date such as 2020-01-15T10:30:45Z", hint)
    parts = found.groupdict()
    try:
        local = LocalDateTime(
            int(parts["year"]),
            int(parts["month"] or parts["month2"] or 1),
            int(parts["day"] or parts["day2"] or 1),
            *_iso_time(parts),
        )
    except ValueError as error:
        raise Failure(f"`{text[:80]}` is not a date: {error}") from None
    if parts["zone"]:
        return Reading(local, offset_of(parts["zone"]))
    return Reading(local, named=NamedZone(zone(parts["name"])) if parts["name"] else None)


def read_iso_time(text: str) -> time:
    found = _ISO_TIME_ONLY.fullmatch(text.strip())
    if not found:
        raise Failure(f"`{text[:80]}` is not a time such as 10:30:45")
    try:
        return time(*_iso_time(found.groupdict()))
    except ValueError as error:
        raise Failure(f"`{text[:80]}` is not a time: {error}") from None


def _iso_time(parts: dict[str, Any]) -> tuple[int, int, int, int]:
    fraction = int((parts["fraction"] or "0").ljust(3, "0")[:3]) * 1000
    return int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts["second"] or 0), fraction
