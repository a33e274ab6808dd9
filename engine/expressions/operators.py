"""The operators as JavaScript defines them, but with exact decimals and equality by value."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from engine.expressions import utf16
from engine.expressions.dates import DateTime, epoch_milliseconds, iso_text
from engine.expressions.decimals import (
    exact_difference,
    exact_product,
    exact_remainder,
    exact_sum,
    quotient,
)
from engine.expressions.failures import Failure
from engine.expressions.limits import MAX_BITS, charge, check_integer, check_text
from engine.expressions.values import (
    INFINITY,
    NAN,
    NUMBERS,
    Function,
    Number,
    kind_of,
    number_of_text,
    property_name,
    to_float,
    to_number,
    to_text,
)
from engine.numbers import MAX_DIGITS

_SAFE = 1 << 60
_DATES = (date, time)
_EXACT = frozenset({int, Decimal})


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
    if kind in _EXACT and other in _EXACT:
        return exact_sum(left, right)
    if kind is int and other is str and -_SAFE < left < _SAFE and len(right) < 10_000:
        return str(left) + right
    if _adds_as_text(left) or _adds_as_text(right):
        text, following = to_text(left), to_text(right)
        check_text(len(text) + len(following))
        return utf16.add(text, following)
    return _sum(to_number(left), to_number(right))


def _adds_as_text(value: Any) -> bool:
    return value is not None and value.__class__ is not bool and value.__class__ not in NUMBERS


def _sum(left: Number, right: Number) -> Number:
    if left.__class__ is float or right.__class__ is float:
        return to_float(left) + to_float(right)
    if left.__class__ is int and right.__class__ is int:
        return check_integer(left + right)
    return exact_sum(left, right)  # type: ignore[arg-type]  # neither is a float


def subtract(left: Any, right: Any) -> Number:
    if left.__class__ not in _EXACT or right.__class__ not in _EXACT:
        left, right = to_number(left), to_number(right)
        if left.__class__ is float or right.__class__ is float:
            return to_float(left) - to_float(right)
    if left.__class__ is int and right.__class__ is int:
        return check_integer(left - right)
    return exact_difference(left, right)


def multiply(left: Any, right: Any) -> Number:
    if left.__class__ not in _EXACT or right.__class__ not in _EXACT:
        left, right = to_number(left), to_number(right)
        if left.__class__ is float or right.__class__ is float:
            return to_float(left) * to_float(right)
    if left.__class__ is int and right.__class__ is int:
        if left.bit_length() + right.bit_length() > MAX_BITS + 2:
            raise Failure(f"the product would be too long (limit {MAX_DIGITS:,} digits)")
        return check_integer(left * right)
    return exact_product(left, right)


def divide(left: Any, right: Any) -> Number:
    """To 34 digits; as in JavaScript, dividing by zero returns Infinity or NaN."""
    a, b = to_number(left), to_number(right)
    if b == 0:
        return _divided_by_zero(a, b)
    if b.__class__ is float:
        return NAN if a.__class__ is float or b != b else 0
    if a.__class__ is float:
        return a if b > 0 else -a
    if a.__class__ is int and b.__class__ is int and a % b == 0:
        return check_integer(int(a // b))
    return quotient(a, b)  # type: ignore[arg-type]  # neither is a float


def _divided_by_zero(a: Number, b: Number) -> float:
    if a == 0 or a != a:
        return NAN
    return math.copysign(INFINITY, a) * math.copysign(1, b)


def remainder(left: Any, right: Any) -> Number:
    """The result has the sign of the dividend."""
    a, b = to_number(left), to_number(right)
    if b == 0 or a != a or b != b or a in (INFINITY, -INFINITY):
        return NAN
    if b.__class__ is float:
        return a
    if a.__class__ is int and b.__class__ is int:
        size = abs(a) % abs(b)
        return -size if a < 0 else size
    return exact_remainder(a, b)  # type: ignore[arg-type]  # neither is a float


def negate(value: Any) -> Number:
    number = to_number(value)
    if number.__class__ is Decimal:
        return number.copy_negate() if number else number.copy_abs()
    return -number


def plus(value: Any) -> Number:
    return to_number(value)


# --- comparison ---


def equal(left: Any, right: Any) -> bool:
    """`==`: JavaScript's coercion between scalars, by value for arrays and objects."""
    kind, other = left.__class__, right.__class__
    if kind is other:
        if kind is str or kind in NUMBERS or kind is bool:
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


_SCALARS = NUMBERS | {str, bool}


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
    if kind in NUMBERS and other in NUMBERS:
        return to_number(left) == to_number(right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return kind is other and epoch_milliseconds(left) == epoch_milliseconds(right)
    return bool(left == right)


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides as two strings, two numbers or two dates."""
    kind, other = left.__class__, right.__class__
    if kind is str and other is str:
        return utf16.in_order(left, right)
    if kind is DateTime and other is DateTime and left.tzinfo is right.tzinfo is UTC:
        return left, right
    if isinstance(left, _DATES) and isinstance(right, _DATES):
        return _ordered_dates(left, right)
    a, b = _order_number(left, right), _order_number(right, left)
    return (NAN, NAN) if a != a or b != b else (a, b)  # Python refuses to order decimals and NaN


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


_PLAIN = frozenset({int, Decimal, float})


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
