"""The operators as JavaScript defines them, but with decimal results and equality by value.

Sums and products of floats differ from the decimal result in their last bits; `_decimal` restores
the decimal result, which users of a decimal engine expect (0.1 + 0.2 is 0.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.expressions import utf16
from engine.expressions.dates import epoch_milliseconds, iso_text
from engine.expressions.failures import Failure
from engine.expressions.limits import MAX_BITS, charge, check_integer, check_text
from engine.expressions.values import (
    INFINITY,
    NAN,
    Function,
    Number,
    kind_of,
    number_of_text,
    property_name,
    tidy,
    to_float,
    to_number,
    to_text,
)

_SAFE = 1 << 60
_DATES = (date, time)
_ULPS = 4.5e-16
_ROUNDS = 1.5 * 2**52  # adding and subtracting it rounds a float to a whole number


def add(left: Any, right: Any) -> Any:
    """Sum, or concatenation if either side is a string (or converts only to one)."""
    kind, other = left.__class__, right.__class__
    if kind is str and other is str:
        if len(left) + len(right) > 10_000:
            check_text(len(left) + len(right))
        if right.isascii() or not "\udc00" <= right[:1] <= "\udfff":
            return left + right
        return utf16.add(left, right)
    if kind is int and other is int:
        total = left + right
        return total if -_SAFE < total < _SAFE else check_integer(total)
    if kind is str and other is int and -_SAFE < right < _SAFE and len(left) < 10_000:
        return left + str(right)
    if (kind is float or kind is int) and (other is float or other is int):
        return _float_sum(left, right)
    if _adds_as_text(left) or _adds_as_text(right):
        text, following = to_text(left), to_text(right)
        check_text(len(text) + len(following))
        return utf16.add(text, following)
    return add(to_number(left), to_number(right))


def _adds_as_text(value: Any) -> bool:
    return value is not None and value.__class__ not in (int, float, bool)


def _float_sum(left: Number, right: Number) -> Number:
    a, b = to_float(left), to_float(right)
    return _decimal(a + b, abs(a) + abs(b))


def subtract(left: Any, right: Any) -> Number:
    if left.__class__ is not int or right.__class__ is not int:
        left, right = to_number(left), to_number(right)
    if left.__class__ is int and right.__class__ is int:
        return check_integer(left - right)
    a, b = to_float(left), to_float(right)
    return _decimal(a - b, abs(a) + abs(b))


def multiply(left: Any, right: Any) -> Number:
    kind, other = left.__class__, right.__class__
    if kind is int and other is int and -_SAFE < left < _SAFE and -_SAFE < right < _SAFE:
        return left * right  # type: ignore[no-any-return]  # both are int
    if (kind is float or (kind is int and -_SAFE < left < _SAFE)) and (
        other is float or (other is int and -_SAFE < right < _SAFE)
    ):
        product = left * right
        if -2e6 < product < 2e6 and (product * 1e9 + _ROUNDS - _ROUNDS) / 1e9 == product:
            return product if product % 1.0 else int(product)  # a decimal as it is, mostly
        return _decimal(product, product if product > 0 else -product)
    if kind is not int or other is not int:
        left, right = to_number(left), to_number(right)
    if left.__class__ is int and right.__class__ is int:
        if left.bit_length() + right.bit_length() > MAX_BITS + 1:
            raise Failure("the product would be too long")
        return check_integer(left * right)
    product = to_float(left) * to_float(right)
    return _decimal(product, abs(product))


def divide(left: Any, right: Any) -> Number:
    """As in JavaScript, dividing by zero returns Infinity or NaN."""
    a, b = to_number(left), to_number(right)
    if b == 0:
        return _divided_by_zero(a, b)
    if a.__class__ is int and b.__class__ is int and a % b == 0:
        return a // b
    try:
        quotient = a / b
    except OverflowError:
        quotient = to_float(a) / to_float(b)
    return _decimal(quotient, abs(quotient))


def _divided_by_zero(a: Number, b: Number) -> float:
    if a == 0 or a != a:
        return NAN
    return math.copysign(INFINITY, a) * math.copysign(1, b)


def remainder(left: Any, right: Any) -> Number:
    """The result has the sign of the dividend."""
    a, b = to_number(left), to_number(right)
    if b == 0 or a != a or b != b or a in (INFINITY, -INFINITY):
        return NAN
    if a.__class__ is int and b.__class__ is int:
        size = abs(a) % abs(b)
        return -size if a < 0 else size
    if b in (INFINITY, -INFINITY):
        return a
    try:
        return tidy(float(Decimal(repr(a)) % Decimal(repr(b))))
    except InvalidOperation:
        return tidy(math.fmod(to_float(a), to_float(b)))


def negate(value: Any) -> Number:
    number = to_number(value)
    return -number if number != 0 or number.__class__ is float else 0


def plus(value: Any) -> Number:
    return to_number(value)


def _decimal(value: float, size: float) -> Number:
    """The decimal number that `value`, off by a few bits of `size`, stands for."""
    if size < 2e6:
        near = (value * 1e9 + _ROUNDS - _ROUNDS) / 1e9
    elif size < 2e9:
        near = (value * 1e6 + _ROUNDS - _ROUNDS) / 1e6
    elif size < 2e12:
        near = (value * 1e3 + _ROUNDS - _ROUNDS) / 1e3
    else:
        return tidy(value)
    wrong = near - value
    if wrong and (wrong if wrong > 0 else -wrong) <= size * _ULPS:
        value = near
    return value if value % 1.0 else int(value)


# --- comparison ---


def equal(left: Any, right: Any) -> bool:
    """`==`: JavaScript's coercion between scalars, by value for arrays and objects."""
    kind, other = left.__class__, right.__class__
    if kind is other:
        if kind is str or kind is int or kind is float or kind is bool:
            return bool(left == right)
        if kind is list or kind is dict:
            return same(left, right)
    if left is None or right is None:
        return left is right
    if kind in _SCALARS and other in _SCALARS:
        return to_number(left) == to_number(right)
    if isinstance(left, _DATES) or isinstance(right, _DATES):
        return _equal_dates(left, right)
    return left is right or same(left, right)


_SCALARS = frozenset({str, int, float, bool})


def _equal_dates(left: Any, right: Any) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return to_text(left) == to_text(right)
    if _is_instant(left) or _is_instant(right):
        try:
            return to_number(left) == to_number(right)
        except Failure:
            return False
    return left.__class__ is right.__class__ and bool(left == right)


def _is_instant(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def not_equal(left: Any, right: Any) -> bool:
    return not equal(left, right)


def same(left: Any, right: Any) -> bool:
    """Equal by value and of the same type, all the way down."""
    kind, other = left.__class__, right.__class__
    if kind is list and other is list:
        charge(1)
        return len(left) == len(right) and all(map(same, left, right))
    if kind is dict and other is dict:
        charge(1)
        return len(left) == len(right) and all(
            key in right and same(value, right[key]) for key, value in left.items()
        )
    if (kind is bool) != (other is bool):
        return False
    if isinstance(left, datetime) and isinstance(right, datetime):
        return kind is other and epoch_milliseconds(left) == epoch_milliseconds(right)
    return bool(left == right)


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides as two strings, two numbers or two dates."""
    kind, other = left.__class__, right.__class__
    if kind is str and other is str:
        return utf16.in_order(left, right)
    if isinstance(left, _DATES) and isinstance(right, _DATES):
        return _ordered_dates(left, right)
    return _order_number(left, right), _order_number(right, left)


def _ordered_dates(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return epoch_milliseconds(left), epoch_milliseconds(right)
    if left.__class__ is right.__class__:
        return left, right
    if isinstance(left, date) and isinstance(right, date):
        return iso_text(left)[:10], iso_text(right)[:10]
    raise Failure("a day and a time of day cannot be compared")


def _order_number(value: Any, other: Any) -> Number:
    if value.__class__ is str:
        return number_of_text(value)
    if value.__class__ is int or value.__class__ is float:
        return value
    if value.__class__ in (list, dict, bytes, Function) or (
        isinstance(value, _DATES) and not isinstance(value, datetime)
    ):
        raise Failure(f"{kind_of(value)} cannot be compared with {kind_of(other)}")
    return to_number(value)


def less(left: Any, right: Any) -> bool:
    if left.__class__ is not right.__class__ or left.__class__ not in _PLAIN:
        left, right = _ordered(left, right)
    return bool(left < right)


def less_or_equal(left: Any, right: Any) -> bool:
    if left.__class__ is not right.__class__ or left.__class__ not in _PLAIN:
        left, right = _ordered(left, right)
    return bool(left <= right)


def greater(left: Any, right: Any) -> bool:
    if left.__class__ is not right.__class__ or left.__class__ not in _PLAIN:
        left, right = _ordered(left, right)
    return bool(left > right)


def greater_or_equal(left: Any, right: Any) -> bool:
    if left.__class__ is not right.__class__ or left.__class__ not in _PLAIN:
        left, right = _ordered(left, right)
    return bool(left >= right)


_PLAIN = frozenset({int, float})


def has_key(key: Any, container: Any) -> bool:
    """`key in container`: a property of an object, or an index of an array."""
    if container.__class__ is dict:
        return property_name(key) in container
    if container.__class__ is list:
        number = to_number(key)
        return 0 <= number < len(container) and number == int(number)
    if container is None:
        raise Failure("`in` needs an object or array on its right side, got null")
    raise Failure(f"`in` needs an object or array on its right side, got {kind_of(container)}")


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "==": equal,
    "!=": not_equal,
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
    "in": has_key,
}
