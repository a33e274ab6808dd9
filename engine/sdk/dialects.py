"""Hints for values in other YAML dialects: `yes` for true, `5s` for a number of seconds."""

from __future__ import annotations

import re
from typing import Any

from engine.hints import Hint, NewValue
from engine.late_regex import late_regex

_YES, _NO = ("yes", "y", "on", "1"), ("no", "n", "off", "0")
_UNITS = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_QUANTITY = late_regex(r"([-+]?[0-9][0-9_,']*(?:\.[0-9]+)?)\s*([A-Za-z]*)")


def boolean_hint(text: str, *, quoted: bool = False) -> str:
    """How `yes`, `on` or `'true'` is written as a boolean; empty for anything else."""
    word = text.strip().lower()
    if word in ("true", "false"):
        return _write(word, "leave out the quotes:" if quoted else "write")
    if word in _YES:
        return _write("true")
    return _write("false") if word in _NO else ""


def value_hint(kind: Any, value: Any) -> str:
    """How to write a value for a setting of this type; empty if unknown."""
    if kind is bool:
        return boolean_hint(str(value), quoted=isinstance(value, str))
    if kind is str and isinstance(value, dict):
        return "put it in quotes; for a string over several lines, write '|' after the key"
    if kind not in (int, float) or not isinstance(value, str):
        return ""
    found = _QUANTITY.fullmatch(value.strip())
    if found is None:
        return ""
    digits, unit = re.sub("[_,']", "", found[1]), found[2]
    if not unit:
        return _write(digits, "leave out the quotes:" if digits == value else "write")
    if unit not in _UNITS:
        return Hint("write the number without a unit", [NewValue(digits)])
    return _write(f"{float(digits) * _UNITS[unit]:g}", "write the number of seconds:")


def _write(value: str, verb: str = "write") -> str:
    return Hint(f"{verb} {value}", [NewValue(value)])
