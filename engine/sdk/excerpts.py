"""A value in a message: as a user would write it, shortened if it is long."""

from __future__ import annotations

from math import isfinite, isnan

import msgspec

from engine.documents import Value
from engine.numbers import MAX_DIGITS

_ENCODER = msgspec.json.Encoder(enc_hook=repr, decimal_format="number")


def in_json(value: Value) -> str:
    """A value as JSON, with parts that JSON does not have in Python's notation."""
    return _ENCODER.encode(value).decode()


def _in_python(value: Value) -> str:
    try:
        return ascii(value)
    except ValueError:
        return f"a value with an integer of more than {MAX_DIGITS:,} digits"


def excerpt(value: Value, limit: int = 60) -> str:
    """The start of a value as JSON, or in Python's notation if JSON has no such value."""
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    try:
        text = in_json(value)
    except (ValueError, TypeError, OverflowError, RecursionError):  # a lone surrogate, ...
        text = _in_python(value)
    return f"{text[:limit]}…" if len(text) > limit else text
