"""Values of other types that a text denotes: numbers, exact as in all documents, and booleans."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from engine.sdk import decimal_of

_INTEGER = r"[+-]?[0-9]+"
_DECIMAL = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_BOOLEANS = {"true": True, "false": False}


def integer_in(text: str) -> int:
    """Raises ValueError if the text is not an integer."""
    if re.fullmatch(_INTEGER, text) is None:
        raise ValueError(f"{text!r:.60} is not an integer")
    return int(text)


def decimal_in(text: str) -> Decimal:
    """With the scale as written. Raises ValueError if the text is not a number."""
    if re.fullmatch(_DECIMAL, text) is None:
        raise ValueError(f"{text!r:.60} is not a number")
    try:
        return decimal_of(text)
    except ArithmeticError:
        raise ValueError(f"{text!r:.60} has too many digits or too large an exponent") from None


def number_in(text: str) -> int | Decimal:
    """An integer, or a decimal. Raises ValueError if the text is not a number."""
    return integer_in(text) if re.fullmatch(_INTEGER, text) else decimal_in(text)


def boolean_in(text: str) -> bool:
    """`true` or `false`, in any case. Raises ValueError for anything else."""
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise ValueError(f"{text!r:.60} is neither true nor false")
    return value


CONVERSIONS: dict[str, Callable[[str], object]] = {
    "string": str,
    "integer": integer_in,
    "float": decimal_in,
    "boolean": boolean_in,
}
"""What the types of CSV columns are called."""


def typed(text: str) -> object:
    """The number or boolean that a text looks like; otherwise the text itself.

    Numbers with leading zeros or a plus, such as phone numbers and codes, stay strings.
    """
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if re.fullmatch(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", text) is None:
        return text
    try:
        return number_in(text)
    except ValueError:
        return text
