"""Calls that become plain Python in the usual case, by name and number of arguments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from importlib import import_module
from typing import Any

from engine.expressions.compiler.templates import UNKNOWN, Rule, Template
from engine.expressions.dates import EPOCH, MILLISECOND, DateTime
from engine.expressions.decimals import PLAIN_DIGITS, decimal_text
from engine.expressions.values import PLAIN_FRACTION, SPACE

LONG = 100_000
"""Results of less than this size stay far below the limits."""

_OF_FAMILIES = {
    "fixed_text": "engine.expressions.functions.formatting",
    "join_plainly": "engine.expressions.functions.arrays",
    "read_plainly": "engine.expressions.date_reading",
    "sum_": "engine.expressions.functions.arrays",
}
"""Values from the families of functions, which are imported when a rule is used."""


class _LateValues(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        value = self[name] = getattr(import_module(_OF_FAMILIES[name]), name)
        return value


_VALUES = _LateValues(
    {
        "DateTime": DateTime,
        "Decimal": Decimal,
        "EPOCH": EPOCH,
        "LONG": LONG,
        "MILLISECOND": MILLISECOND,
        "PLAIN_DIGITS": PLAIN_DIGITS,
        "ROUND_CEILING": ROUND_CEILING,
        "ROUND_FLOOR": ROUND_FLOOR,
        "ROUND_HALF_DOWN": ROUND_HALF_DOWN,
        "ROUND_HALF_UP": ROUND_HALF_UP,
        "SAFE": 2**60,
        "SPACE": SPACE,
        "UTC": UTC,
        "abs": abs,
        "int": int,
        "len": len,
        "list": list,
        "dict": dict,
        "str": str,
        "decimal_text": decimal_text,
        "is_plain_fraction": PLAIN_FRACTION.fullmatch,
        "fromisoformat": DateTime.fromisoformat,
        "timedelta": timedelta,
    }
)
Accepts = Callable[..., bool]
Rules = dict[tuple[str, int], tuple[Rule, ...]]


def _any(*arguments: Any) -> bool:
    return True


def _positions(*arguments: Any) -> bool:
    """Constant integers from 0 on, in order."""
    whole = all(one.__class__ is int and one >= 0 for one in arguments)
    return whole and list(arguments) == sorted(arguments)


def _integers(*arguments: Any) -> bool:
    return all(one.__class__ is int for one in arguments)


def _ascii(*arguments: Any) -> bool:
    """Constant strings without a character that Python and JavaScript count differently."""
    return all(one.__class__ is str and one.isascii() and one for one in arguments)


def _plain_replacement(old: Any, new: Any) -> bool:
    is_plain = new.__class__ is str and new.isascii() and "$" not in new and len(new) < 100
    return _ascii(old) and is_plain


def _plain_pattern(pattern: Any) -> bool:
    from engine.expressions.date_reading import is_plain_pattern  # few expressions parse dates

    return is_plain_pattern(pattern)


def _unknown(*arguments: Any) -> bool:
    return UNKNOWN in arguments


def is_plain_word(value: Any) -> bool:
    """A string that equals only itself: no number or date has this form."""
    if value.__class__ is not str:
        return False
    word: str = value.lstrip("+-")
    return (
        bool(word) and (word[0].isalpha() or word[0] in "_$/#") and not word.startswith("Infinity")
    )


def _rule(
    receiver: type, value: str, test: str = "", accepts: Accepts = _any, *, grows: bool = False
) -> Rule:
    made = Template(test, _VALUES) if test else None
    return Rule(receiver, Template(value, _VALUES), made, accepts, grows)


_TEXTS: Rules = {
    ("trim", 0): (_rule(str, "t.strip(SPACE)"),),
    ("trimLeft", 0): (_rule(str, "t.lstrip(SPACE)"),),
    ("trimRight", 0): (_rule(str, "t.rstrip(SPACE)"),),
    ("toLowerCase", 0): (_rule(str, "t.lower()"),),
    ("toUpperCase", 0): (_rule(str, "t.upper()"),),
    ("charAt", 1): (_rule(str, "t[a:a + 1]", "t.isascii()", _positions),),
    ("substring", 1): (
        _rule(str, "t[a:]", "t.isascii()", _positions),
        _rule(str, "t[a:]", "a.__class__ is int and a >= 0 and t.isascii()", _unknown),
    ),
    ("substring", 2): (
        _rule(str, "t[a:b]", "t.isascii()", _positions),
        _rule(
            str,
            "t[a:b]",
            "a.__class__ is int and b.__class__ is int and 0 <= a <= b and t.isascii()",
            _unknown,
        ),
    ),
    ("slice", 1): (
        _rule(str, "t[a:]", "t.isascii()", _integers),
        _rule(list, "t[a:]", "len(t) < LONG", _integers, grows=True),
    ),
    ("slice", 2): (
        _rule(str, "t[a:b]", "t.isascii()", _integers),
        _rule(list, "t[a:b]", "len(t) < LONG", _integers, grows=True),
    ),
    ("substr", 2): (
        _rule(str, "t[a:a + b]", "t.isascii()", lambda a, b: _positions(a) and _positions(b)),
    ),
    ("indexOf", 1): (
        _rule(str, "t.find(a)", "t.isascii()", _ascii),
        _rule(str, "t.find(a)", "a.__class__ is str and t.isascii()", _unknown),
        _rule(list, "t.index(a) if a in t else -1", "", is_plain_word, grows=True),
        _rule(
            list,
            "t.index(a) if a in t else -1",
            "a.__class__ is str and a[:1].isalpha() and a[0] != 'I'",  # as is_plain_word
            _unknown,
            grows=True,
        ),
    ),
    ("lastIndexOf", 1): (
        _rule(str, "t.rfind(a)", "t.isascii()", _ascii),
        _rule(str, "t.rfind(a)", "a.__class__ is str and t.isascii()", _unknown),
    ),
    ("startsWith", 1): (
        _rule(str, "t.startswith(a)", "", _ascii),
        _rule(str, "t.startswith(a)", "a.__class__ is str and t.isascii()", _unknown),
    ),
    ("endsWith", 1): (
        _rule(str, "t.endswith(a)", "", _ascii),
        _rule(str, "t.endswith(a)", "a.__class__ is str and t.isascii()", _unknown),
    ),
    ("contains", 1): (
        _rule(str, "a in t", "", _ascii),
        _rule(str, "a in t", "a.__class__ is str and t.isascii()", _unknown),
    ),
    ("split", 1): (_rule(str, "t.split(a)", "len(t) < LONG", _ascii, grows=True),),
    ("replace", 2): (
        _rule(
            str,
            "t.replace(a, b, 1)",
            "t.isascii() and len(t) < LONG",
            _plain_replacement,
            grows=True,
        ),
    ),
    ("replaceAll", 2): (
        _rule(
            str, "t.replace(a, b)", "t.isascii() and len(t) < LONG", _plain_replacement, grows=True
        ),
    ),
}
_ASCII_PARTS = "t.isascii() and a.isascii() and len(t) < LONG and len(a) < LONG"
_CONTAINERS: Rules = {
    ("concat", 2): (
        _rule(
            str,
            "t + a + b",
            f"a.__class__ is str and b.__class__ is str and {_ASCII_PARTS}"
            " and b.isascii() and len(b) < LONG",
            grows=True,
        ),
    ),
    ("repeat", 1): (
        _rule(
            str,
            "t * a",
            "t.isascii() and len(t) < 1000",
            lambda count: count.__class__ is int and 0 <= count <= 100,
            grows=True,
        ),
    ),
    ("concat", 1): (
        _rule(str, "t + a", f"a.__class__ is str and {_ASCII_PARTS}", _unknown, grows=True),
        _rule(
            list, "[*t, *a]", "a.__class__ is list and len(t) + len(a) < LONG", _unknown, grows=True
        ),
    ),
    ("join", 1): (_rule(list, "join_plainly(t, a)", "", _ascii, grows=True),),
    ("sum", 0): (_rule(list, "sum_(t)", grows=True),),
    ("keys", 0): (_rule(dict, "list(t)", "'keys' not in t and len(t) < LONG", grows=True),),
    ("values", 0): (
        _rule(dict, "list(t.values())", "'values' not in t and len(t) < LONG", grows=True),
    ),
    ("extend", 1): (
        _rule(
            dict,
            "{**t, **a}",
            "a.__class__ is dict and 'extend' not in t and len(t) < LONG",
            _unknown,
            grows=True,
        ),
    ),
    ("isEmpty", 0): (_rule(dict, "not t", "'isEmpty' not in t"),),
}
_DATES: Rules = {
    ("getTime", 0): (_rule(DateTime, "(t - EPOCH) // MILLISECOND"),),
    ("getFullYear", 0): (_rule(DateTime, "t.year"),),
    ("getMonth", 0): (_rule(DateTime, "t.month"),),
    ("getDate", 0): (_rule(DateTime, "t.day"),),
    ("getHours", 0): (_rule(DateTime, "t.hour"),),
    ("getMinutes", 0): (_rule(DateTime, "t.minute"),),
    ("getSeconds", 0): (_rule(DateTime, "t.second"),),
    **{
        (f"{verb}{name}", 1): (
            _rule(
                DateTime,
                f"t {sign} timedelta({unit}=a)",
                "a.__class__ is int and -LONG < a < LONG and t.tzinfo is UTC",
            ),
        )
        for verb, sign in (("plus", "+"), ("minus", "-"))
        for name, unit in (
            ("Days", "days"),
            ("Hours", "hours"),
            ("Minutes", "minutes"),
            ("Seconds", "seconds"),
        )
    },
}
INDEX_RULES = (
    _rule(list, "t[a]", "a.__class__ is int and a >= 0"),
    _rule(dict, "t[a]", "a.__class__ is str"),
)
"""`t[a]`; a wrong position or key raises."""

_NUMBERS: Rules = {
    ("toString", 0): (
        _rule(list, "join_plainly(t, ',')", "len(t) < LONG", grows=True),
        _rule(int, "str(t)", "-SAFE < t < SAFE"),
        _rule(str, "t"),
        _rule(Decimal, "decimal_text(t)"),
    ),
    ("toFixed", 1): (
        _rule(
            Decimal,
            "fixed_text(t, a)",
            "t.adjusted() < PLAIN_DIGITS",
            lambda digits: digits.__class__ is int and 0 <= digits <= 100,
        ),
    ),
}
METHOD_RULES: Rules = {**_TEXTS, **_CONTAINERS, **_DATES, **_NUMBERS}


def _rounding(direction: str) -> tuple[Rule, ...]:
    rounded = f"int(t.to_integral_value({direction}))"
    return _rule(int, "t"), _rule(Decimal, rounded, "t.adjusted() < PLAIN_DIGITS")


_LARGER = "t if t >= a else a"
_SMALLER = "t if t <= a else a"
IN_UTC: Rules = {
    ("Date.parse", 1): (
        _rule(
            str,
            "fromisoformat(t)",
            "(len(t) == 24 and t[19] == '.' and t[23] == 'Z' or len(t) == 20 and t[19] == 'Z')"
            " and t[5] != 'W' and t[10] == 'T'",
        ),
        _rule(
            str,
            "fromisoformat(t + 'T00:00:00Z')",
            "len(t) == 10 and t[4] == '-' and t[7] == '-' and t[5] != 'W'",
        ),
    ),
    ("Date.parse", 2): (_rule(str, "read_plainly(t, a)", "", _plain_pattern),),
}
"""Functions that return the same in every run with the time zone UTC."""

FUNCTION_RULES: Rules = {
    ("Math.abs", 1): (_rule(int, "abs(t)"), _rule(Decimal, "t.copy_abs()")),
    ("Math.round", 1): _rounding("ROUND_HALF_DOWN if t.is_signed() else ROUND_HALF_UP"),
    ("Math.floor", 1): _rounding("ROUND_FLOOR"),
    ("Math.ceil", 1): _rounding("ROUND_CEILING"),
    ("Math.trunc", 1): (_rule(int, "t"), _rule(Decimal, "int(t)", "t.adjusted() < PLAIN_DIGITS")),
    ("parseFloat", 1): (
        _rule(str, "Decimal(t)", "is_plain_fraction(t)"),
        _rule(int, "t"),
        _rule(Decimal, "t"),
    ),
    ("Math.pow", 2): (
        _rule(
            int,
            "t ** a",
            "-1000 < t < 1000",  # a float holds the result exactly
            lambda power: power.__class__ is int and 0 <= power <= 5,
        ),
    ),
    ("Math.max", 2): tuple(
        _rule(cls, _LARGER, f"a.__class__ is {cls.__name__}") for cls in (int, Decimal)
    ),
    ("Math.min", 2): tuple(
        _rule(cls, _SMALLER, f"a.__class__ is {cls.__name__}") for cls in (int, Decimal)
    ),
    ("parseInt", 1): (
        _rule(str, "int(t)", "t.isdecimal() and t.isascii() and len(t) < 16"),
        _rule(int, "t"),
        _rule(Decimal, "int(t)", "-7 < t.adjusted() < PLAIN_DIGITS"),
    ),
    ("isNaN", 1): (
        _rule(int, "False"),
        _rule(Decimal, "False"),
        _rule(str, "False", "is_plain_fraction(t)"),
    ),
    ("sl.ensureArray", 1): (_rule(list, "t"),),
}
