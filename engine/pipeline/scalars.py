"""What a plain scalar means: the core schema of YAML 1.2.

`no`, `on`, `12:30` and `2024-01-01` stay strings; only null, true, false and numbers become other
values. A number with a point or an exponent is a decimal, as written. Numbers that JSON cannot
write (`.nan`, `.inf`) or that are beyond the bounds are refused.
"""

from __future__ import annotations

from decimal import Decimal

from engine.late_regex import late_regex
from engine.numbers import MAX_DIGITS, decimal_of, out_of_bounds

_CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = late_regex(r"[-+]?[0-9]+")
_OCTAL = late_regex(r"0o[0-7]+")
_HEXADECIMAL = late_regex(r"0x[0-9a-fA-F]+")
_DECIMAL = late_regex(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_IN_JSON = late_regex(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

Plain = str | int | Decimal | bool | None


def resolve(text: str) -> Plain:
    """The value of a plain scalar. Raises ValueError for a number that JSON cannot represent, and
    with a reason for one beyond the bounds."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _OCTAL.fullmatch(text):
        return _integer(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return _integer(text[2:], 16)
    if _DECIMAL.fullmatch(text):
        return _decimal(text)
    if _NOT_IN_JSON.fullmatch(text):
        raise ValueError
    return text


def _integer(digits: str, base: int) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"the number has {len(digits):,} digits; the limit is {MAX_DIGITS:,}")
    return int(digits, base)


def _decimal(text: str) -> Decimal:
    try:
        return decimal_of(text)
    except ArithmeticError:
        raise ValueError(out_of_bounds(text)) from None
