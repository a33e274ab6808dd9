"""A rate such as `100/m`: how many requests in how many seconds."""

from __future__ import annotations

import re

import msgspec

from engine.sdk.settings import shown

_RATE = re.compile(r"\s*([0-9]{1,9})\s*/\s*(s|m|h|d)\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NAMES = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


class Rate(msgspec.Struct, frozen=True):
    count: int
    seconds: int

    def __str__(self) -> str:
        unit = "request" if self.count == 1 else "requests"
        return f"{self.count:,} {unit} a {_NAMES[self.seconds]}"


def parse_rate(text: str) -> Rate:
    """Raises ValueError with a message for the user."""
    found = _RATE.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError(f"{shown(text)} is not a rate; write requests per s, m, h or d: '100/m'")
    return Rate(int(found[1]), _SECONDS[found[2]])
