"""The kind of a value, its truth, and its conversion to a string or a number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from engine.expressions.dates import epoch_milliseconds, iso_text
from engine.expressions.decimals import decimal_text, integer_if_plain, shortest
from engine.expressions.failures import Failure
from engine.expressions.limits import WALK_STEPS, charge, check_integer, check_text
from engine.expressions.utf16 import join
from engine.late_regex import late_regex
from engine.numbers import MAX_DIGITS, decimal_of

Number = int | Decimal | float
"""Only NaN and ±Infinity are floats; other floats count as decimals as soon as they are used."""
NUMBERS: frozenset[Any] = frozenset({int, Decimal, float})
NAN = math.nan
INFINITY = math.inf
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "missing", "__slots__": ()})()

SPACE = " \t\n\v\f\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    chr(code) for code in range(0x2000, 0x200B)
)
_DECIMAL = late_regex(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = late_regex(r"[+-]?\d+", re.ASCII)
PLAIN_FRACTION = late_regex(r"\d{1,100}\.\d{0,100}[1-9]", re.ASCII)
"""The usual decimals in strings: far within the bounds, and never integers."""
_PREFIXED = late_regex(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_MAX_EXACT = 2**53
_LARGEST_POWER = 308


class Function:
    """An arrow function: the callable, and the number of values it takes (-1: any number)."""

    __slots__ = ("call", "count", "mutates")

    def __init__(self, call: Callable[..., Any], count: int, mutates: bool = False) -> None:
        self.call = call
        self.count = count
        self.mutates = mutates


_KINDS: dict[type, str] = {
    str: "a string",
    int: "a number",
    Decimal: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
    list: "an array",
    dict: "an object",
    bytes: "binary data",
    Function: "a function",
}


def kind_of(value: object) -> str:
    """`a string`, `an array`, ... for messages."""
    known = _KINDS.get(value.__class__)
    if known:
        return known
    return "a date" if isinstance(value, date | time) else f"a {type(value).__name__.lower()}"


def type_of(value: object) -> str:
    """The result of `typeof`."""
    cls = value.__class__
    if cls is str:
        return "string"
    if cls is bool:
        return "boolean"
    if cls in NUMBERS:
        return "number"
    if cls is list:
        return "array"
    return "function" if cls is Function else "object"


def truthy(value: Any) -> bool:
    """As in JavaScript: false, 0, '', null and NaN are false; empty arrays and objects are true."""
    cls = value.__class__
    if cls is bool or cls is str or cls is int or cls is Decimal:
        return bool(value)
    if value is None:
        return False
    if cls is float:
        return bool(value == value and value != 0)
    return True


def to_number(value: Any) -> Number:
    """As in JavaScript; a string that is not a number becomes NaN. Other values are refused."""
    cls = value.__class__
    if cls is int or cls is Decimal:
        return value  # type: ignore[no-any-return]
    if cls is float:
        return number_of_float(value)
    if cls is str:
        return number_of_text(value)
    if cls is bool:
        return 1 if value else 0
    if value is None:
        return 0
    if isinstance(value, datetime):
        return epoch_milliseconds(value)
    raise Failure(f"expected a number, got {kind_of(value)}")


def number_of_float(value: float) -> Number:
    return shortest(value) if math.isfinite(value) else value


def number_of_text(text: str) -> Number:
    if len(text) < 16 and text.isascii() and text.isdecimal():
        return int(text)
    if PLAIN_FRACTION.fullmatch(text):
        return Decimal(text)
    text = text.strip(SPACE)
    if not text:
        return 0
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise Failure(f"the number has more than {MAX_DIGITS:,} digits")
        return int(text)
    if _DECIMAL.fullmatch(text):
        return decimal_of_text(text)
    if _PREFIXED.fullmatch(text):
        return check_integer(int(text, 0))
    sign = -1 if text.startswith("-") else 1
    return sign * INFINITY if text.lstrip("+-") == "Infinity" and len(text) < 10 else NAN


def decimal_of_text(text: str) -> Number:
    """The number that a decimal text denotes; Infinity where JavaScript has it."""
    try:
        number = decimal_of(text)
    except ArithmeticError:
        if len(text) > MAX_DIGITS:
            raise Failure(f"the number has more than {MAX_DIGITS:,} digits") from None
        return float(text) or 0
    if "." in text and text[-1] in "123456789" and "e" not in text and "E" not in text:
        return number  # it has a fraction
    near = float(number) if number.adjusted() >= _LARGEST_POWER else 0.0
    return near if math.isinf(near) else integer_if_plain(number)


def tidy(value: float) -> Number:
    """The number that a calculation with floats returned; an int if it is integral."""
    if value.is_integer() and -_MAX_EXACT <= value <= _MAX_EXACT:
        return int(value)
    return number_of_float(value)


def to_float(value: Any) -> float:
    """The number as a float; numbers beyond the range become infinite."""
    number = value if value.__class__ in NUMBERS else to_number(value)
    try:
        return float(number)
    except OverflowError:
        return INFINITY if number > 0 else -INFINITY


def to_integer(value: Any, default: int = 0) -> int:
    """As JavaScript's ToIntegerOrInfinity, clamped to 2^53; null becomes `default`."""
    if value.__class__ is int:
        return value
    if value is None:
        return default
    number = to_number(value)
    if number != number:
        return 0
    return int(max(-_MAX_EXACT, min(_MAX_EXACT, number)))


def to_count(value: Any, what: str, most: int, least: int = 0) -> int:
    """An integer from `least` to `most`."""
    count = to_integer(value)
    if not least <= count <= most:
        raise Failure(f"{what} must be {least} to {most:,}, got {number_text(count)}")
    return count


def number_text(value: Number) -> str:
    """The number as JavaScript writes it; integers of any size in full."""
    if value.__class__ is int:
        return str(check_integer(value))
    if value.__class__ is Decimal:
        return decimal_text(value)
    if value != value:
        return "NaN"
    if value in (INFINITY, -INFINITY):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    power = int(exponent) if exponent else 0
    if not exponent:
        return text.removesuffix(".0")
    if -6 <= power < 21:
        return _without_exponent(mantissa, power)
    sign = "+" if power > 0 else "-"
    return f"{mantissa.removesuffix('.0')}e{sign}{abs(power)}"


def _without_exponent(mantissa: str, power: int) -> str:
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + (fraction if fraction != "0" else "")
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    return f"{sign}{digits.ljust(power + 1, '0')}"


def to_text(value: Any) -> str:
    """As `'' + value`: as JavaScript for scalars, as Java for arrays and objects."""
    if value.__class__ is str:
        return value
    if value.__class__ in NUMBERS:
        return number_text(value)
    parts: list[str] = []
    _write(value, parts)
    return join(parts)


def scalar_text(value: Any, what: str = "a string") -> str:
    """A string, number, boolean, null or date as a string; other values are refused."""
    if value.__class__ is str:
        return value
    if value.__class__ in (list, dict, Function, bytes):
        raise Failure(f"expected {what}, got {kind_of(value)}")
    return to_text(value)


def _write(value: Any, parts: list[str]) -> None:
    cls = value.__class__
    charge(WALK_STEPS)
    if cls is list:
        parts.append("[")
        _write_all(parts, ((None, item) for item in value))
        parts.append("]")
    elif cls is dict:
        parts.append("{")
        _write_all(parts, value.items())
        parts.append("}")
    else:
        parts.append(_scalar(value))


def _write_all(parts: list[str], items: Any) -> None:
    for number, (key, item) in enumerate(items):
        if number:
            parts.append(", ")
        if key is not None:
            parts.append(f"{key}=")
        _write(item, parts)
        check_text(len(parts[-1]))


def _scalar(value: Any) -> str:
    cls = value.__class__
    if cls is str:
        return value  # type: ignore[no-any-return]
    if value is None:
        return "null"
    if cls is bool:
        return "true" if value else "false"
    if cls in NUMBERS:
        return number_text(value)
    if isinstance(value, date | time):
        return iso_text(value)
    hint = "use iconv.decode(x, 'UTF-8') or Base64.encode(x)" if cls is bytes else ""
    raise Failure(f"{kind_of(value)} cannot be converted to a string", hint)


def comma_text(value: Any) -> str:
    """An array as JavaScript writes it: elements joined by commas, null as an empty string."""
    if value is None:
        return ""
    if value.__class__ is list:
        charge(len(value) * WALK_STEPS)
        text = join(map(comma_text, value), ",")
        check_text(len(text))
        return text
    return to_text(value)


def property_name(value: Any) -> str:
    """The key of an object that `value` stands for."""
    if value.__class__ is str:
        return value
    return scalar_text(value, "a property name")
