"""Checks the values of documents that come from custom code.

JSON values, bytes, decimal numbers and date-times are allowed. Tuples become lists, mappings with
string keys become plain dicts, and strings and numbers of derived classes (from numpy, an XML
parser or an enum) become plain ones. Everything else, such as a set or an object of some library,
is refused, because it would fail or be misinterpreted in a later snap; so are decimals that are not
finite or beyond the bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

from engine.documents import RawJson
from engine.errors import DataError
from engine.numbers import decimal_of, out_of_bounds

_SCALARS = frozenset((str, int, float, bool, type(None), bytes, RawJson))
_DATES = (date, time)
_MADE_PLAIN: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (bytes, bytes),
)
_STRINGS = frozenset((str,))


class NotPlainError(DataError):
    """A value that a document cannot hold."""


def plain(document: Any) -> Any:
    """The document, or an equal one of plain dicts and lists. Raises NotPlainError."""
    try:
        return _plain(document, ())
    except RecursionError:
        raise NotPlainError(
            "the document is nested too deeply",
            "it has too many levels, or contains itself",
            "reduce the nesting",
        ) from None


def _plain(value: Any, path: tuple[str | int, ...]) -> Any:
    cls = value.__class__
    if cls is dict:
        return _plain_map(value, path)
    if cls is list:
        return _plain_list(value, path)
    if cls in _SCALARS or isinstance(value, _DATES):
        return value
    if isinstance(value, Decimal):
        return _plain_decimal(value, path)
    if isinstance(value, Mapping):
        return _plain_map(dict(value), path)
    if isinstance(value, list | tuple):
        return _plain_list(list(value), path)
    for kind, make in _MADE_PLAIN:
        if isinstance(value, kind):
            return make(value)
    raise _refusal(path, value)


def _plain_decimal(value: Decimal, path: tuple[str | int, ...]) -> Decimal:
    if not value.is_finite():
        raise NotPlainError(
            f"{_shown(path)} is the decimal {value}",
            "a decimal must be a number",
            "write None if there is no number",
        )
    try:
        return decimal_of(value)
    except ArithmeticError:
        raise NotPlainError(
            f"{_shown(path)} is not a number that a document can hold",
            out_of_bounds(str(value)),
            "round the number",
        ) from None


def _plain_map(value: dict[Any, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    if not _STRINGS.issuperset(map(type, value)):
        value = _with_plain_keys(value, path)
    if _SCALARS.issuperset(map(type, value.values())):
        return value
    changed: dict[str, Any] = {}
    for key, item in value.items():
        if item.__class__ not in _SCALARS:
            made = _plain(item, (*path, key))
            if made is not item:
                changed[key] = made
    return {**value, **changed} if changed else value


def _plain_list(value: list[Any], path: tuple[str | int, ...]) -> list[Any]:
    if _SCALARS.issuperset(map(type, value)):
        return value
    made = [
        item if item.__class__ in _SCALARS else _plain(item, (*path, index))
        for index, item in enumerate(value)
    ]
    same = all(new is old for new, old in zip(made, value, strict=True))
    return value if same else made


def _with_plain_keys(value: dict[Any, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise NotPlainError(
                f"{_shown(path)} has the key {key!r}",
                f"keys must be strings, but this one has the type {type(key).__name__!r}",
                "write str(key)",
            )
    return {str.__str__(key): item for key, item in value.items()}


def _refusal(path: tuple[str | int, ...], value: Any) -> NotPlainError:
    advice = "convert it to one of these, for example with str()"
    if hasattr(value, "dtype"):  # an array or a number of numpy
        advice = "write value.tolist()"
    return NotPlainError(
        f"{_shown(path)} has a value of the type {type(value).__name__!r}",
        "a document can hold strings, numbers, booleans, null, lists, maps, bytes and date-times",
        _ADVICE.get(type(value).__name__, advice),
    )


_ADVICE = {
    **dict.fromkeys(("set", "frozenset"), "write sorted(value) or list(value)"),
    **dict.fromkeys(("generator", "map", "filter", "zip", "range", "deque"), "write list(value)"),
    **dict.fromkeys(("dict_keys", "dict_values", "dict_items"), "write list(value)"),
    **dict.fromkeys(("bytearray", "memoryview"), "write bytes(value)"),
}


def _shown(path: tuple[str | int, ...]) -> str:
    """The path as written in an expression: `$.a.b[0]`."""
    steps = [
        f"[{step}]"
        if isinstance(step, int)
        else (f".{step}" if step.isidentifier() else f"[{step!r}]")
        for step in path
    ]
    return "".join(("$", *steps)) if steps else "the document"
