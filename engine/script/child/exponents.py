"""Floats whose JSON text has an exponent leave a script as decimals.

A float counts as its shortest decimal, and JSON writers show a decimal's exponent in another way
than a float's: `1E+22`, not `1e22`. Few floats are so large or so small. They are found by their
bytes in a frame of answers, which is cheaper than looking at every value.
"""

from __future__ import annotations

import decimal
import re
from math import isfinite
from typing import Any

import msgspec

from .encoding import DECIMAL, encoder

LARGE, SMALL = 1e16, 1e-5
"""From here on, up and down, floats are written with an exponent."""

_EXPONENT = re.compile(
    rb"\xcb(?:[\x43-\x7f\xc3-\xff]"  # from about 1e16 on, and NaN and infinity
    rb"|[\x00\x80](?!\x00{7})|[\x01-\x3d\x81-\xbd]|[\x3e\xbe][\x00-\xe4])",  # below 1e-5
    re.DOTALL,
)
"""The mark of a float in MessagePack, and how such a float begins. Other data may look like it."""


def may_have_exponents(frame: bytes) -> bool:
    return _EXPONENT.search(frame) is not None


def with_decimals(piece: bytes) -> bytes:
    """An encoded answer with decimals in place of such floats."""
    if not may_have_exponents(piece):
        return piece
    return encoder.encode(_with_decimals(msgspec.msgpack.decode(piece)))


def _with_decimals(value: Any) -> Any:
    kind = value.__class__
    if kind is float:
        size = abs(value)
        if (size < SMALL or size >= LARGE) and value and isfinite(value):
            text = str(decimal.Decimal(repr(value)))
            return msgspec.msgpack.Ext(DECIMAL, text.encode())
        return value
    if kind is dict:
        return {key: _with_decimals(item) for key, item in value.items()}
    return [_with_decimals(item) for item in value] if kind is list else value
