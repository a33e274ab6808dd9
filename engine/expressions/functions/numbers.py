"""Numbers as strings."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

from engine.expressions.decimals import EXACT
from engine.expressions.functions.declare import Example, Family
from engine.expressions.functions.formatting import as_decimal, half_up
from engine.expressions.kinds import NumberLike
from engine.expressions.values import INFINITY, Number, number_text, to_count, to_text
from engine.numbers import MAX_EXPONENT

NUMBERS = Family("Number", "Methods of numbers.", receivers=(int, Decimal, float))
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MAX_SHOWN_DIGITS = 100
_NOT_PLAIN = 10**21


def _is_plain(number: Number) -> bool:
    return number == number and number not in (INFINITY, -INFINITY)


def _is_too_long(number: Number) -> bool:
    """Whether the number is written with an exponent, or is NaN or Infinity."""
    return not isinstance(number, int) and not -_NOT_PLAIN < number < _NOT_PLAIN


@NUMBERS.method(
    "toFixed",
    "The number with `digits` decimals, halves rounded up.",
    Example("(3.14159).toFixed(2)", "3.14"),
    Example("(1.005).toFixed(2)", "1.01"),
)
def to_fixed(number: Number, digits: NumberLike = 0) -> str:
    count = to_count(digits, "the number of digits", _MAX_SHOWN_DIGITS)
    if _is_too_long(number):
        return number_text(number)
    return half_up(number, count)


@NUMBERS.method(
    "toExponential",
    "The number in scientific notation, with `digits` decimals.",
    Example("(12345).toExponential(2)", "1.23e+4"),
)
def to_exponential(number: Number, digits: NumberLike = None) -> str:
    if not _is_plain(number):
        return number_text(number)
    exact = as_decimal(number).normalize(EXACT)
    if digits is None:
        return _scientific(exact, len(exact.as_tuple().digits) - 1)
    return _scientific(exact, to_count(digits, "the number of digits", _MAX_SHOWN_DIGITS))


def _scientific(exact: Decimal, digits: int) -> str:
    """`exact`, rounded half away from zero; the exponent of zero is 0."""
    if not exact:
        return f"{0:.{digits}f}e+0"
    # A context of its own: that of the caller may refuse to round.
    rounded = Context(digits + 1, ROUND_HALF_UP, -MAX_EXPONENT, MAX_EXPONENT, traps=[]).plus(exact)
    return f"{rounded:.{digits}e}"


@NUMBERS.method(
    "toPrecision",
    "The number with `digits` significant digits.",
    Example("(3.14159).toPrecision(3)", "3.14"),
    Example("(123456).toPrecision(2)", "1.2e+5"),
)
def to_precision(number: Number, digits: NumberLike = None) -> str:
    if digits is None or not _is_plain(number):
        return number_text(number)
    count = to_count(digits, "the number of digits", _MAX_SHOWN_DIGITS, least=1)
    text = _scientific(as_decimal(number), count - 1)
    power = int(text.partition("e")[2])
    if power < -6 or power >= count:
        return text
    return f"{Decimal(text):.{count - 1 - power}f}"


@NUMBERS.method(
    "toString",
    "The number as a string, optionally in another base (2 to 36).",
    Example("(1.5).toString()", "1.5"),
    Example("(255).toString(16)", "ff"),
    Example("(0.5).toString(2)", "0.1"),
)
def to_string(number: Number, radix: NumberLike = None) -> str:
    base = 10 if radix is None else to_count(radix, "the base", 36, least=2)
    if base == 10 or not _is_plain(number):
        return number_text(number)
    size = abs(number if isinstance(number, int) else float(number))
    whole = int(size)
    carry, fraction = _fraction_digits(size, base)
    text = _whole_digits(whole + carry, base) + fraction
    return f"-{text}" if number < 0 else text


def _whole_digits(number: int, base: int) -> str:
    digits: list[str] = []
    while number:
        number, digit = divmod(number, base)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits)) or "0"


def _fraction_digits(size: float, base: int) -> tuple[int, str]:
    """As many digits as distinguish the number from its neighbours, and the carry."""
    fraction = size % 1
    error = max((math.nextafter(size, INFINITY) - size) / 2, _SMALLEST) if fraction else 0
    if fraction < error or not fraction:
        return 0, ""
    digits: list[int] = []
    while True:
        fraction *= base
        error *= base
        digits.append(int(fraction))
        fraction -= digits[-1]
        is_upper_half = fraction > 0.5 or (fraction == 0.5 and digits[-1] % 2 == 1)
        if is_upper_half and fraction + error > 1:
            return _rounded_up(digits, base)
        if fraction < error:
            return 0, _digits_text(digits)


_SMALLEST = math.nextafter(0.0, 1.0)
"""Half a step between the smallest numbers would be 0, and no digit would be the last."""


def _rounded_up(digits: list[int], base: int) -> tuple[int, str]:
    while digits and digits[-1] + 1 == base:
        digits.pop()
    if not digits:
        return 1, ""
    digits[-1] += 1
    return 0, _digits_text(digits)


def _digits_text(digits: list[int]) -> str:
    return "." + "".join(_DIGITS[digit] for digit in digits)


BOOLEANS = Family("Boolean", "Methods of booleans.", receivers=(bool,))


@BOOLEANS.method("toString", "`true` or `false`.", Example("true.toString()", "true"))
def boolean_text(value: bool) -> str:
    return to_text(value)
