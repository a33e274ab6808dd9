"""The rules of DataValidator: each says what is wrong with one value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from engine.sdk import Value, excerpt, searcher

Constraint = Literal[
    "required", "type", "minimum", "maximum", "min_length", "max_length", "pattern"
]
TypeName = Literal[
    "string", "number", "integer", "object", "array", "boolean", "date", "time", "date-time",
    "local-date-time", "any",
]  # fmt: skip
Rule = Callable[[Value], str]
"""What is wrong with a value; empty if nothing is."""


def rule_for(constraint: Constraint, limit: Any) -> Rule:
    """The rule; raises ValueError, with what is wrong, if the limit is not one for it."""
    if constraint == "required":
        return lambda value: ""
    if constraint == "type":
        return _type_rule(str(limit or "object").strip().lower())
    if constraint == "pattern":
        return _pattern_rule(limit)
    number = _number(limit)
    if number is None:
        raise ValueError(f"needs a number, got {excerpt(limit)}")
    if constraint in ("minimum", "maximum"):
        return _bound_rule(number, is_minimum=constraint == "minimum")
    return _length_rule(number, is_minimum=constraint == "min_length")


def _type_rule(name: str) -> Rule:
    if name not in get_args(TypeName):
        raise ValueError(f"needs one of {', '.join(get_args(TypeName))}, got {name!r}")
    holds = _TYPES[name]
    return lambda value: "" if holds(value) else f"must be of the type {name}"


def _pattern_rule(limit: Any) -> Rule:
    if not isinstance(limit, str) or not limit:
        raise ValueError("needs a regular expression")
    found = searcher(limit)

    def wrong(value: Value) -> str:
        matches = isinstance(value, str) and found(value)
        return "" if matches else f"must match the pattern {limit!r}"

    return wrong


def _bound_rule(limit: Decimal, *, is_minimum: bool) -> Rule:
    said = f"must be {limit} or {'more' if is_minimum else 'less'}"

    def wrong(value: Value) -> str:
        number = _number(value)
        if number is None:
            return f"{said}, but is not a number"
        return "" if (number >= limit if is_minimum else number <= limit) else said

    return wrong


def _length_rule(limit: Decimal, *, is_minimum: bool) -> Rule:
    said = f"must have at {'least' if is_minimum else 'most'} {limit} characters or elements"

    def wrong(value: Value) -> str:
        if value is not None and not isinstance(value, str | list | dict | bytes):
            return f"{said}, but is neither a string nor a list"
        length = 0 if value is None else len(value)
        return "" if (length >= limit if is_minimum else length <= limit) else said

    return wrong


def _number(value: Any) -> Decimal | None:
    """The value as a number, also if it is the text of one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(value.strip() if isinstance(value, str) else str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _is_text_of(parse: Callable[[str], Any]) -> Callable[[Value], bool]:
    def holds(value: Value) -> bool:
        try:
            return isinstance(value, str) and bool(parse(value) or True)
        except ValueError:
            return False

    return holds


def _is_date(value: Value) -> bool:
    return (isinstance(value, date) and not isinstance(value, datetime)) or _is_text_of(
        date.fromisoformat
    )(value)


def _is_time(value: Value) -> bool:
    return isinstance(value, time) or _is_text_of(time.fromisoformat)(value)


def _zone_of(value: Value) -> bool | None:
    """Whether a date and time has a time zone; None if it is something else."""
    if isinstance(value, str) and len(value) > len("2020-01-01"):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value.tzinfo is not None if isinstance(value, datetime) else None


_TYPES: dict[str, Callable[[Value], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: (
        isinstance(value, int | float | Decimal) and value.__class__ is not bool
    ),
    "integer": lambda value: isinstance(value, int) and value.__class__ is not bool,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
    "time": _is_time,
    "date-time": lambda value: _zone_of(value) is True,
    "local-date-time": lambda value: _zone_of(value) is False,
    "any": lambda value: True,
}
