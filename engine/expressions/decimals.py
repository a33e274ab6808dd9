"""Exact arithmetic on integers and decimals, within bounds.

A number of the language is an `int`, a `Decimal`, or one of the floats NaN and ±Infinity. Sums,
differences, products and remainders are exact; quotients have 34 digits, half even, as Java's
MathContext.DECIMAL128. A result that is too long or too large is an error, never rounded.

Python's operators use the context of the thread, which may round. So they may be used on decimals
only while `EXACT` is that context: `with exact_decimals():` around a batch makes them as fast as
Python can. Everywhere else the functions of this module do the same at the price of a call.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
    getcontext,
    setcontext,
)

from engine.expressions.failures import Failure
from engine.numbers import MAX_DIGITS, MAX_EXPONENT

Exact = int | Decimal
PLAIN_DIGITS = 21
"""JavaScript writes numbers of more digits before the point with an exponent."""


def _context(digits: int, exponent: int, *traps: type[DecimalException]) -> Context:
    return Context(
        prec=digits,
        rounding=ROUND_HALF_EVEN,
        Emin=-exponent,
        Emax=exponent,
        capitals=1,
        clamp=0,
        traps=[InvalidOperation, DivisionByZero, Overflow, Subnormal, *traps],
    )


EXACT = _context(MAX_DIGITS, MAX_EXPONENT, Inexact)
DECIMAL128 = _context(34, MAX_EXPONENT)
_REMAINDERS = _context(3 * MAX_EXPONENT + MAX_DIGITS, 2 * MAX_EXPONENT + MAX_DIGITS, Inexact)
"""An exact remainder is computed through a quotient of as many digits as the exponents differ."""


class _ExactContext:
    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = getcontext()
        setcontext(EXACT)

    def __exit__(self, *error: object) -> None:
        setcontext(self._before)


def exact_decimals() -> _ExactContext:
    """Inside `with exact_decimals()`, Python's operators are exact, in this thread or task."""
    return _ExactContext()


def exact_sum(left: Exact, right: Exact) -> Decimal:
    try:
        return EXACT.add(left, right)
    except DecimalException as error:
        raise _out_of_bounds(error, "sum") from None


def exact_difference(left: Exact, right: Exact) -> Decimal:
    try:
        return EXACT.subtract(left, right)
    except DecimalException as error:
        raise _out_of_bounds(error, "difference") from None


def exact_product(left: Exact, right: Exact) -> Decimal:
    try:
        return positive_zero(EXACT.multiply(left, right))
    except DecimalException as error:
        raise _out_of_bounds(error, "product") from None


def quotient(left: Exact, right: Exact) -> Decimal:
    """To 34 digits; `right` is not 0."""
    try:
        return positive_zero(DECIMAL128.divide(left, right))
    except DecimalException as error:
        raise _out_of_bounds(error, "quotient") from None


def exact_remainder(left: Exact, right: Exact) -> Exact:
    """With the sign of `left` and the scale of Java's; `right` is not 0."""
    a, b = Decimal(left), Decimal(right)
    if a.copy_abs() < b.copy_abs():
        return left
    try:
        remainder = EXACT.plus(_REMAINDERS.remainder(a, b))
        return positive_zero(remainder.quantize(_scale_of_remainder(a, b), context=_REMAINDERS))
    except DecimalException as error:
        raise _out_of_bounds(error, "remainder") from None


def _scale_of_remainder(a: Decimal, b: Decimal) -> Decimal:
    """In Java, zeros at the end of the integral quotient reduce the scale of the divisor."""
    most, least = _exponent(a), _exponent(b)
    if most > least:
        zeros = _exponent(_REMAINDERS.divide_int(a, b).normalize(_REMAINDERS))
        least += min(zeros, most - least)
    return Decimal((0, (1,), min(most, least)))


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    return exponent


def positive_zero(number: Decimal) -> Decimal:
    """Zero without a sign, as in Java."""
    return number or number.copy_abs()


def _out_of_bounds(error: DecimalException, what: str) -> Failure:
    if isinstance(error, Inexact) and not isinstance(error, Overflow | Subnormal):
        return Failure(f"the {what} would be too long (limit {MAX_DIGITS:,} digits)")
    if isinstance(error, Overflow | Subnormal):
        size = "large" if isinstance(error, Overflow) else "small"
        limit = f"limit 1E{'+' if size == 'large' else '-'}{MAX_EXPONENT}"
        return Failure(f"the {what} would be too {size} ({limit})")
    return Failure(f"the {what} cannot be computed", "NaN and Infinity are not decimals")


def shortest(number: float) -> Decimal:
    """The shortest decimal that denotes a finite float."""
    return Decimal(repr(number))


def integer_if_plain(number: Decimal) -> Exact:
    """An integral decimal as an int, unless it is so large that its exponent is needed."""
    if number.adjusted() < PLAIN_DIGITS and number == number.to_integral_value():
        return int(number)
    return number


def decimal_text(number: Decimal) -> str:
    """As JavaScript writes numbers, without zeros at the end, but with all other digits."""
    text = scaled_text(number)
    if text[-1] == "0" and "." in text and "e" not in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text


def scaled_text(number: Decimal) -> str:
    """The same with the zeros at the end."""
    text = str(number)
    return _with_exponent(number) if "E" in text else text


def _with_exponent(number: Decimal) -> str:
    power = number.adjusted()
    if -7 < power < PLAIN_DIGITS or not number:
        return f"{number:f}"
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{'-' * number.is_signed()}{mantissa}e{power:+}"
