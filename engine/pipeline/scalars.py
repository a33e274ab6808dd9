"""What a plain scalar means: the core schema of YAML 1.2.

`no`, `on`, `12:30` and `2024-01-01` stay strings; only null, true, false and numbers become other
values. Numbers that JSON cannot write (`.nan`, `.inf`, `1e999`) are refused.
"""

from __future__ import annotations

import math
import re

_CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_IN_JSON = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_DIGITS = 1000


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar. Raises ValueError for a number that JSON cannot represent."""
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
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_IN_JSON.fullmatch(text):
        raise ValueError(text)
    return text


def _integer(digits: str, base: int) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(digits)
    return int(digits, base)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
