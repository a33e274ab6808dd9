"""A value in a message: as a user writes it, and cut if it is long."""

from __future__ import annotations

from math import isfinite, isnan

import msgspec

from engine.documents import Value


def excerpt(value: Value, limit: int = 60) -> str:
    """The start of a value as JSON, or as Python writes it if JSON has no such value."""
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    try:
        text = msgspec.json.encode(value, enc_hook=repr).decode()
    except (ValueError, TypeError, OverflowError, RecursionError):  # half a surrogate pair, ...
        text = ascii(value)
    return f"{text[:limit]}…" if len(text) > limit else text
