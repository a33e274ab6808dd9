"""The English names of time zones (`Pacific Daylight Time`, `PDT`), as Java knows them.

`zone_names.json` has a row for each set of names: the name of standard time, its short form,
the name of daylight time, its short form, and the ids of the zones, best known first.
"""

from __future__ import annotations

import functools
import pkgutil
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec

from engine.expressions.dates import offset_text, zone
from engine.expressions.failures import Failure


class NamedZone(NamedTuple):
    """`daylight`: whether it names daylight time; None if it names the zone in general.

    An exact name, `Pacific Standard Time`, means that time all year round; short forms are often
    used for the zone, so `PST` in July is the time that the clocks show.
    """

    zone: tzinfo
    daylight: bool | None = None
    is_exact: bool = False


@functools.cache
def _rows() -> list[list[str]]:
    text = pkgutil.get_data(__package__, "zone_names.json") or b""
    return msgspec.json.decode(text, type=list[list[str]])


@functools.cache
def _names() -> dict[str, list[str]]:
    return {key: row[:4] for row in _rows() for key in row[4].split()}


@functools.cache
def _zones() -> dict[str, tuple[str, bool, bool]]:
    """Lowercase names -> best known zone, whether it is daylight time, whether the name is full."""
    found: dict[str, tuple[str, bool, bool]] = {}
    for row in _rows():
        best = row[4].split()[0]
        for place, name in enumerate(row[:4]):
            if name:
                found.setdefault(name.lower(), (best, place >= 2, place % 2 == 0))
    return found


@functools.cache
def full_names() -> list[str]:
    """All names that are not short forms, longest first."""
    names = {row[place] for row in _rows() for place in (0, 2) if row[place]}
    return sorted(names, key=lambda name: (-len(name), name))


def is_daylight(value: datetime) -> bool:
    """Whether the zone is ahead of its standard time."""
    return _offset(value) > standard_offset(value)


def standard_offset(value: datetime) -> timedelta:
    """The smaller offset of the year, which is that of winter."""
    return min(_offset(value.replace(month=month, day=1, fold=0)) for month in (1, 7))


def _offset(value: datetime) -> timedelta:
    return value.utcoffset() or timedelta()


def name_of(value: datetime, full: bool) -> str:
    """The name of the time of `value` in its zone; the offset if it has no name."""
    key = "UTC" if value.tzinfo is UTC else getattr(value.tzinfo, "key", "")
    names = _names().get(key)
    if not key:
        return offset_text(value, ":", "Z")
    has_daylight = names is not None and bool(names[2])
    place = (2 if has_daylight and is_daylight(value) else 0) + (0 if full else 1)
    if names is None or not names[place]:
        return "GMT" + offset_text(value, ":", "").replace("+00:00", "")
    return names[place]


def zone_called(name: str) -> NamedZone:
    """The zone of an id, a name or a short form; raises Failure."""
    known = _zones().get(name.lower())
    if known is None:
        return NamedZone(zone(name))
    best, daylight, is_exact = known
    try:
        return NamedZone(zone(name), daylight, is_exact)
    except Failure:
        return NamedZone(zone(best), daylight, is_exact)
