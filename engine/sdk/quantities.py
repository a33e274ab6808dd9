"""Durations and sizes as people write them: `30s`, `5m`, `10 MiB`, or a plain number."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from engine.sdk.settings import shown

MAX_SECONDS = 3650 * 86_400.0
MAX_SIZE = 1024**4
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}


def parse_duration(value: float | str) -> float:
    """Seconds, more than 0 and at most ten years.

    Raises ValueError with a message for the user.
    """
    remedy = "write seconds, or a number with s, m, h or d such as '5m'"
    seconds = _parse(value, _SECONDS, f"{shown(value)} is not a duration; {remedy}")
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"{shown(value)} is out of range; write more than 0 and at most '3650d'")
    return seconds


def parse_size(value: float | str) -> int:
    """Bytes, at least 1 and at most 1 TiB. Raises ValueError with a message for the user."""
    remedy = "write bytes, or a number with kB, MB, GB, KiB, MiB or GiB such as '10 MiB'"
    size = _parse(value, _BYTES, f"{shown(value)} is not a size; {remedy}")
    if not 1 <= size <= MAX_SIZE:
        raise ValueError(f"{shown(value)} is out of range; write 1 byte to '1024 GiB'")
    return int(size)


def _parse(value: float | str, units: Mapping[str, int], message: str) -> float:
    if not isinstance(value, str):
        number, unit = float(value) if abs(value) < MAX_SIZE**2 else math.inf, ""
    elif found := _QUANTITY.fullmatch(value.strip()):
        number, unit = float(found[1]), found[2].lower()
    else:
        raise ValueError(message)
    if unit not in units or math.isnan(number):
        raise ValueError(message)
    return number * units[unit]
