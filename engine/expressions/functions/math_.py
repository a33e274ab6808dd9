"""`Math`, as in JavaScript; strings are converted to numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_UP,
    Decimal,
)
from fractions import Fraction
from typing import Any

from engine.expressions.decimals import integer_if_plain, shortest
from engine.expressions.functions.declare import Example, Family
from engine.expressions.kinds import NumberLike
from engine.expressions.limits import charge
from engine.expressions.scope import Context
from engine.expressions.values import INFINITY, NAN, Number, tidy, to_float, to_number

_ONLY_INTEGERS = {int}
MATH = Family("Math", "Numbers as in JavaScript. Strings are converted first.", namespace="Math")
MATH.constants.update(
    E=shortest(math.e),
    LN2=Decimal("0.6931471805599453"),
    LN10=Decimal("2.302585092994046"),
    LOG2E=Decimal("1.4426950408889634"),
    LOG10E=Decimal("0.4342944819032518"),
    PI=shortest(math.pi),
    SQRT1_2=shortest(math.sqrt(0.5)),
    SQRT2=shortest(math.sqrt(2)),
)


def _rounded(x: Any, rounding: str) -> Number:
    number = to_number(x)
    if not isinstance(number, Decimal):
        return number
    return integer_if_plain(number.to_integral_value(rounding))


@MATH.function("abs", "The absolute value.", Example("Math.abs(-15.7)", 15.7))
def absolute(x: NumberLike) -> Number:
    number = to_number(x)
    return number.copy_abs() if isinstance(number, Decimal) else abs(number)


@MATH.function("ceil", "Rounded up.", Example("Math.ceil(5.1)", 6), Example("Math.ceil(-5.9)", -5))
def ceil(x: NumberLike) -> Number:
    return _rounded(x, ROUND_CEILING)


@MATH.function("floor", "Rounded down.", Example("Math.floor(-5.1)", -6))
def floor(x: NumberLike) -> Number:
    return _rounded(x, ROUND_FLOOR)


@MATH.function(
    "round",
    "Rounded to the nearest whole number, halves up.",
    Example("Math.round(3.64159)", 4),
    Example("Math.round(-2.5)", -2),
)
def round_(x: NumberLike) -> Number:
    number = x if x.__class__ is Decimal else to_number(x)
    if not isinstance(number, Decimal):
        return number
    direction = ROUND_HALF_DOWN if number < 0 else ROUND_HALF_UP
    return integer_if_plain(number.to_integral_value(direction))


@MATH.function("trunc", "The integer part.", Example("Math.trunc(-14.29)", -14))
def trunc(x: NumberLike) -> Number:
    return _rounded(x, ROUND_DOWN)


@MATH.function(
    "sign", "The sign: -1, 0 or 1; NaN if it is not a number.", Example("Math.sign('-5')", -1)
)
def sign(x: NumberLike) -> Number:
    number = to_number(x)
    return number if number != number else (number > 0) - (number < 0)


def _all_numbers(values: tuple[Any, ...]) -> list[Number]:
    charge(len(values))
    return [to_number(value) for value in values]


@MATH.function(
    "max",
    "The largest of the arguments.",
    Example("Math.max(1, 5, 3)", 5),
    Example("Math.max(...$numbers)", 9, {"numbers": [3, 9, 4]}),
)
def largest(*values: NumberLike) -> Number:
    if set(map(type, values)) == _ONLY_INTEGERS:
        return max(values)  # type: ignore[no-any-return]
    numbers = _all_numbers(values)
    return NAN if any(n != n for n in numbers) else max(numbers, default=-INFINITY)


@MATH.function("min", "The smallest of the arguments.", Example("Math.min(1, 5, 3)", 1))
def smallest(*values: NumberLike) -> Number:
    if set(map(type, values)) == _ONLY_INTEGERS:
        return min(values)  # type: ignore[no-any-return]
    numbers = _all_numbers(values)
    return NAN if any(n != n for n in numbers) else min(numbers, default=INFINITY)


@MATH.function(
    "pow", "The first argument to the power of the second.", Example("Math.pow(2, 3)", 8)
)
def power(base: NumberLike, exponent: NumberLike) -> Number:
    x, y = to_float(base), to_float(exponent)
    if y != y or (abs(x) == 1 and y in (INFINITY, -INFINITY)):
        return NAN
    try:
        return tidy(math.pow(x, y))
    except OverflowError:
        return -INFINITY if x < 0 and y % 2 == 1 else INFINITY
    except ValueError:
        return INFINITY if x == 0 else NAN


@MATH.function(
    "hypot", "The square root of the sum of the squares.", Example("Math.hypot(3, 4)", 5)
)
def hypot(*values: NumberLike) -> Number:
    charge(len(values))
    return tidy(math.hypot(*map(to_float, values)))


@MATH.function("atan2", "The angle of the point (x, y).", Example("Math.atan2(0, 1)", 0))
def atan2(y: NumberLike, x: NumberLike) -> Number:
    return tidy(math.atan2(to_float(y), to_float(x)))


@MATH.function(
    "random",
    "A random number from 0 (inclusive) to 1 (exclusive).",
    Example("Math.random() < 1", True),
)
def random_(context: Context) -> Number:
    return shortest((context.scope.random or random.random)())


def _log(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: -INFINITY if x == 0 else function(x)


def _log1p(x: float) -> float:
    return -INFINITY if x == -1 else math.log1p(x)


def _atanh(x: float) -> float:
    return math.copysign(INFINITY, x) if abs(x) == 1 else math.atanh(x)


def _cbrt(x: float) -> float:
    """The nearest number; that of the math library is sometimes one step off, even for cubes."""
    root = math.cbrt(x)
    if not math.isfinite(root) or root == 0:
        return root
    steps = (math.nextafter(root, -INFINITY), root, math.nextafter(root, INFINITY))
    return min(steps, key=lambda step: abs(Fraction(step) ** 3 - Fraction(x)))


def _overflow(x: float) -> float:
    return INFINITY


def _signed_overflow(x: float) -> float:
    return math.copysign(INFINITY, x)


def _declare(
    name: str,
    summary: str,
    function: Callable[[float], float],
    example: Example,
    overflow: Callable[[float], float] = _overflow,
) -> None:
    def calculate(x: Any) -> Number:
        number = to_float(x)
        try:
            return tidy(function(number))
        except ValueError:
            return NAN
        except OverflowError:
            return overflow(number)

    MATH.function(name, summary, example)(calculate)


_declare("sqrt", "The square root.", math.sqrt, Example("Math.sqrt(16)", 4))
_declare("cbrt", "The cube root.", _cbrt, Example("Math.cbrt(27)", 3))
_declare("exp", "e to the power of x.", math.exp, Example("Math.exp(0)", 1))
_declare("expm1", "e to the power of x, minus 1.", math.expm1, Example("Math.expm1(0)", 0))
_declare("log", "The natural logarithm.", _log(math.log), Example("Math.log(1)", 0))
_declare("log10", "The logarithm to base 10.", _log(math.log10), Example("Math.log10(100)", 2))
_declare("log2", "The logarithm to base 2.", _log(math.log2), Example("Math.log2(8)", 3))
_declare("log1p", "The natural logarithm of 1 + x.", _log1p, Example("Math.log1p(0)", 0))
_declare("sin", "The sine.", math.sin, Example("Math.sin(0)", 0))
_declare("cos", "The cosine.", math.cos, Example("Math.cos(0)", 1))
_declare("tan", "The tangent.", math.tan, Example("Math.tan(0)", 0))
_declare("asin", "The angle with this sine.", math.asin, Example("Math.asin(0)", 0))
_declare("acos", "The angle with this cosine.", math.acos, Example("Math.acos(1)", 0))
_declare("atan", "The angle with this tangent.", math.atan, Example("Math.atan(0)", 0))
_declare("sinh", "The hyperbolic sine.", math.sinh, Example("Math.sinh(0)", 0), _signed_overflow)
_declare("cosh", "The hyperbolic cosine.", math.cosh, Example("Math.cosh(0)", 1))
_declare("tanh", "The hyperbolic tangent.", math.tanh, Example("Math.tanh(0)", 0))
_declare("asinh", "The inverse of sinh.", math.asinh, Example("Math.asinh(0)", 0))
_declare("acosh", "The inverse of cosh.", math.acosh, Example("Math.acosh(1)", 0))
_declare("atanh", "The inverse of tanh.", _atanh, Example("Math.atanh(0)", 0))
