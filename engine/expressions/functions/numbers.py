"""Numbers as texts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from engine.expressions.functions.declare import Example, Family
from engine.expressions.functions.formatting import half_up
from engine.expressions.values import INFINITY, Number, number_text, to_count, to_text

NUMBERS = Family("Number", "Methods of numbers.", receivers=(int, float))
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MOST_DIGITS = 100
_FRACTION_DIGITS = 52


def _is_plain(number: Number) -> bool:
    return number == number and number not in (INFINITY, -INFINITY)


@NUMBERS.method(
    "toFixed",
    "With so many decimals; halves are rounded up on the decimal number.",
    Example("(3.14159).toFixed(2)", "3.14"),
    Example("(1.005).toFixed(2)", "1.01"),
)
def to_fixed(number: Number, digits: Any = 0) -> str:
    count = to_count(digits, "the number of digits", _MOST_DIGITS)
    if not _is_plain(number) or (number.__class__ is float and abs(number) >= 1e21):
        return number_text(number)
    return half_up(number, count)


@NUMBERS.method(
    "toExponential",
    "In scientific notation, with so many decimals.",
    Example("(12345).toExponential(2)", "1.23e+4"),
)
def to_exponential(number: Number, digits: Any = None) -> str:
    if not _is_plain(number):
        return number_text(number)
    exact = Decimal(repr(number)).normalize()
    if digits is None:
        count = len(exact.as_tuple().digits) - 1
    else:
        count = to_count(digits, "the number of digits", _MOST_DIGITS)
    return _scientific(exact, count)


def _scientific(exact: Decimal, digits: int) -> str:
    with localcontext() as context:
        context.rounding = ROUND_HALF_UP
        return f"{exact:.{digits}e}"


@NUMBERS.method(
    "toPrecision",
    "With so many digits in all.",
    Example("(3.14159).toPrecision(3)", "3.14"),
    Example("(123456).toPrecision(2)", "1.2e+5"),
)
def to_precision(number: Number, digits: Any = None) -> str:
    if digits is None or not _is_plain(number):
        return number_text(number)
    count = max(1, to_count(digits, "the number of digits", _MOST_DIGITS))
    text = _scientific(Decimal(repr(number)), count - 1)
    power = int(text.partition("e")[2]) if number else 0
    if power < -6 or power >= count:
        return text
    return f"{Decimal(text):.{count - 1 - power}f}"


@NUMBERS.method(
    "toString",
    "The number as text, in another base if wanted.",
    Example("(1.5).toString()", "1.5"),
    Example("(255).toString(16)", "ff"),
)
def to_string(number: Number, radix: Any = 10) -> str:
    base = to_count(radix, "the base", 36)
    if base == 10 or not _is_plain(number):
        return number_text(number)
    base = max(2, base)
    sign, size = ("-" if number < 0 else ""), abs(number)
    whole = int(size)
    return sign + _whole_digits(whole, base) + _fraction_digits(size - whole, base)


def _whole_digits(number: int, base: int) -> str:
    digits: list[str] = []
    while number:
        number, digit = divmod(number, base)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits)) or "0"


def _fraction_digits(fraction: Number, base: int) -> str:
    digits: list[str] = []
    while fraction and len(digits) < _FRACTION_DIGITS:
        fraction *= base
        digits.append(_DIGITS[int(fraction)])
        fraction -= int(fraction)
    return "." + "".join(digits) if digits else ""


BOOLEANS = Family("Boolean", "Methods of booleans.", receivers=(bool,))


@BOOLEANS.method("toString", "`true` or `false`.", Example("true.toString()", "true"))
def boolean_text(value: bool) -> str:
    return to_text(value)
