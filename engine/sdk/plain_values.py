"""What a document may hold, looked at where documents of others' code enter.

JSON values, bytes, decimal numbers and date-times are allowed. Lists may come as tuples, and maps
as any mapping with string keys; they are made plain. All else - a set, an object of some library -
is refused, because it would fail, or be taken for something else, in a snap further on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

from engine.errors import DataError

_SCALARS = frozenset((str, int, float, bool, type(None), bytes))
_KINDS = (str, int, float, bytes, Decimal, date, time)
_STRINGS = frozenset((str,))


class NotPlainError(DataError):
    """A value that a document cannot hold."""


def plain(document: Any) -> Any:
    """The document, or an equal one of plain dicts and lists. Raises NotPlainError."""
    try:
        return _plain(document, ())
    except RecursionError:
        raise NotPlainError(
            "the document nests too deeply", "or it contains itself", "make it flatter"
        ) from None


def _plain(value: Any, path: tuple[str | int, ...]) -> Any:
    cls = value.__class__
    if cls is dict:
        return _plain_map(value, path)
    if cls is list:
        return _plain_list(value, path)
    if cls in _SCALARS or isinstance(value, _KINDS):
        return value
    if isinstance(value, Mapping):
        return _plain_map(dict(value), path)
    if isinstance(value, tuple):
        return _plain_list(list(value), path)
    raise _refusal(path, value)


def _plain_map(value: dict[Any, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    if not _STRINGS.issuperset(map(type, value)):
        _check_keys(value, path)
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


def _check_keys(value: dict[Any, Any], path: tuple[str | int, ...]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise NotPlainError(
                f"{_shown(path)} has the key {key!r}",
                f"a key must be a string, and this one is of the type {type(key).__name__!r}",
                "write str(key)",
            )


def _refusal(path: tuple[str | int, ...], value: Any) -> NotPlainError:
    return NotPlainError(
        f"{_shown(path)} holds a value of the type {type(value).__name__!r}",
        "a document holds strings, numbers, booleans, null, lists, maps, bytes and date-times",
        _ADVICE.get(type(value).__name__, "convert it to one of these, for example with str()"),
    )


_ADVICE = {
    "set": "write sorted(value) or list(value)",
    "frozenset": "write sorted(value) or list(value)",
    "ndarray": "write value.tolist()",
    "generator": "write list(value)",
}


def _shown(path: tuple[str | int, ...]) -> str:
    """The path as in an expression: `$.a.b[0]`."""
    steps = [
        f"[{step}]"
        if isinstance(step, int)
        else (f".{step}" if step.isidentifier() else f"[{step!r}]")
        for step in path
    ]
    return "".join(("$", *steps)) if steps else "the document"
