"""The numbers of documents: integers and decimals, both exact.

A decimal keeps its scale, so `29.920` leaves a pipeline as it came. A float that a snap, a script
or a caller puts into a document counts as the shortest decimal that denotes it: 0.1 is one tenth.
The numbers of digits and the exponents are bounded, so no number can eat the memory.
"""

from __future__ import annotations

from decimal import (
    Clamped,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
    Underflow,
)
from math import isfinite, isinf
from typing import Any

from engine.documents import converted

MAX_DIGITS = 4_300
"""Digits of an integer, and significant digits of a decimal; Python's own limit for integers."""

MAX_EXPONENT = 10_000
"""The largest decimal is below 10 to the power of 10,001; the smallest is the inverse of that."""

_BOUNDED = Context(
    prec=MAX_DIGITS,
    Emin=-MAX_EXPONENT,
    Emax=MAX_EXPONENT,
    capitals=1,
    clamp=0,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded, Subnormal, Underflow],
)

decimal_of = _BOUNDED.create_decimal
"""The decimal that a text denotes, with its scale, or the same decimal if it is within the bounds.
Raises ArithmeticError for too many digits or too large an exponent. NaN and Infinity pass."""


def decimal_in_json(text: str) -> Decimal:
    """The decimal that a number in JSON text denotes, for `json.loads`; raises ValueError."""
    try:
        return decimal_of(text)
    except ArithmeticError:
        raise ValueError(out_of_bounds(text)) from None


def out_of_bounds(number: str) -> str:
    """Why `decimal_of` or `int` refuses a number, for a message; empty if it does not."""
    try:
        decimal_of(number)
    except ArithmeticError:
        digits = sum(map(str.isdigit, number.lower().partition("e")[0].lstrip("+-0.")))
        if digits > MAX_DIGITS:
            return f"the number has {digits:,} digits; the limit is {MAX_DIGITS:,}"
        return f"the exponent of {shortened(number)} is out of range; the limit is {MAX_EXPONENT:,}"
    return ""


def is_too_long(integer: int) -> bool:
    """Whether it has more digits than Python writes."""
    return not -_BEYOND < integer < _BEYOND


_BEYOND = 10**MAX_DIGITS


def shortened(number: str, limit: int = 40) -> str:
    """A number for a message; a long one without its middle, so that the exponent is seen."""
    half = limit // 2
    return number if len(number) <= limit else f"{number[:half]}…{number[-half:]}"


def as_integer(value: Any) -> Any:
    """An integral float or decimal as an int; any other value as it is."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Decimal) and value.adjusted() < MAX_DIGITS:
        return int(value) if value == value.to_integral_value() else value
    return value


def with_decimals(value: Any) -> Any:
    """The value with its floats as decimals. NaN and Infinity, which no decimal denotes, stay."""
    return converted(value, float, _as_decimal)


def with_floats(value: Any) -> Any:
    """The value with its decimals as floats. A decimal beyond the range of a float stays."""
    return converted(value, Decimal, _as_float)


def _as_decimal(number: float) -> Decimal | float:
    return Decimal(repr(number)) if isfinite(number) else number


def _as_float(number: Decimal) -> Decimal | float:
    nearest = float(number)
    return number if isinf(nearest) else nearest


def is_finite(value: Any) -> bool:
    """Whether a value, of any depth, neither is nor holds a NaN or infinite float."""
    pending = [[value]]
    while pending:
        for item in pending.pop():
            cls = item.__class__
            if cls is dict:
                pending.append(item.values())
            elif cls is list or cls is tuple:
                pending.append(item)
            elif cls is float and not isfinite(item):
                return False
    return True


# The decoder notices every mistake in parts that it skips, except three: bytes that are not UTF-8,
# numbers with too many digits, and exponents that are too large. To find such numbers quickly, all
# digits, points and signs are mapped to 0, so a long exponent is an `e` followed by zeros.
_DIGITS = bytes(
    ord("0") if chr(code) in "0123456789+-." else ord("e") if chr(code) in "eE" else ord(" ")
    for code in range(256)
)
_LONG_EXPONENT = b"0e0000"
_LONG_NUMBER = b"0" * MAX_DIGITS
_SAMPLED = 10
"""Of the bytes at every `MAX_DIGITS // _SAMPLED`-th place, a long number has at least this many."""


def may_hide_mistakes(text: bytes, *, numbers: bool = True) -> bool:
    """Whether skipped parts of valid JSON may be impossible to decode; true if in doubt.

    Without `numbers`, only the encoding is checked.
    """
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return True
    if not numbers:
        return False
    digits = text.translate(_DIGITS)
    if digits.rfind(_LONG_EXPONENT) >= 0:  # half the time of `in`
        return True
    samples = digits[:: MAX_DIGITS // _SAMPLED]
    return _LONG_NUMBER[:_SAMPLED] in samples and _LONG_NUMBER in digits
