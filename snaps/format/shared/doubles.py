"""Numbers of documents as the binary floats of formats that have no others."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from engine.sdk import excerpt

LARGEST_FLOAT = 3.4028234663852886e38
"""The largest number that a float of 32 bits holds."""


def double_of(number: float | Decimal, largest: float | None = None) -> float:
    """The nearest double. Raises ValueError if no double (or none up to `largest`) is so large, or
    if it is NaN or infinite."""
    double = float(number)
    if number != number or (isinstance(number, float) and not isfinite(number)):
        raise ValueError(f"{excerpt(number)} cannot be written")
    if not isfinite(double) or (largest is not None and abs(double) > largest):
        raise ValueError(f"{number} is too large for a {'float' if largest else 'double'}")
    return double
