"""Converts the result of a hook to documents of plain values.

Most results are flat maps of plain values. These are recognised at C speed and passed on unchanged.
The rest is converted as SnapLogic does: date-times to text, numpy values to Python's, bytes to
UTF-8 text. Decimals stay exact.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .encoding import TOO_DEEP, NotSendableError, decimal_form

_SCALARS = frozenset({str, int, float, bool, type(None)})
_FLAT = _SCALARS | {Decimal}
_TEXT_ONLY = frozenset({str})
_PLAIN_KINDS = "biuf"
Result = None | dict[str, Any] | list[dict[str, Any]]


_last_keys: tuple[str, ...] = ()


def documents(result: Any, hook: str) -> Result:
    """The documents of a result, without drop documents; raises TypeError."""
    global _last_keys
    if type(result) is dict:
        kinds = set(map(type, result.values()))
        if kinds <= _FLAT:
            # Most documents have the same keys as the one before.
            keys = tuple(result)  # comparing them is cheaper than checking the type of each
            is_known = keys == _last_keys
            if is_known or (
                _TEXT_ONLY.issuperset(map(type, keys)) and "snaplogic_flag" not in result
            ):
                _last_keys = keys
                return _with_exact(result) if Decimal in kinds else result
    if isinstance(result, dict):
        document = plain(result, "")
        return None if document.get("snaplogic_flag") == "drop" else document
    if result is None:
        return None
    plains = [plain(item, f"[{place}]") for place, item in enumerate(elements(result, hook))]
    return [item for item in plains if item.get("snaplogic_flag") != "drop"]


def elements(result: Any, hook: str) -> list[dict[Any, Any]]:
    """A result as a list of documents, not converted yet; raises TypeError."""
    if result is None:
        return []
    if isinstance(result, dict):
        return [result]
    if not isinstance(result, list):
        raise TypeError(
            f"{hook} must return a dict, a list of dicts or None, not {type(result).__name__}"
        )
    for place, item in enumerate(result):
        if not isinstance(item, dict):
            raise TypeError(
                f"{hook} must return a dict, a list of dicts or None, "
                f"but element {place} of its list is {type(item).__name__}"
            )
    return result


def detached(value: Any) -> Any:
    """A copy of a plain value that shares nothing mutable with it."""
    kind = type(value)
    if kind is dict:
        return {
            key: item if type(item) in _SCALARS else detached(item) for key, item in value.items()
        }
    if kind is list:
        if _SCALARS.issuperset(map(type, value)):
            return value.copy()
        return [detached(item) for item in value]
    return value


def plain(value: Any, path: str) -> Any:
    """`value` in plain types; `path` is its place in the document, for messages.

    Raises TypeError for a value that has no plain form, NotSendableError for too deep nesting.
    """
    try:
        return _plain(value, path)
    except RecursionError:
        raise NotSendableError(TOO_DEEP) from None


def _plain(value: Any, path: str) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is Decimal:
        return _exact(value, path)
    if kind is dict:
        if _TEXT_ONLY.issuperset(map(type, value)):
            if _SCALARS.issuperset(map(type, value.values())):
                return value
            return {
                key: item if type(item) in _SCALARS else _plain(item, f"{path}.{key}")
                for key, item in value.items()
            }
        return {_key(key, path): _plain(item, f"{path}.{key}") for key, item in value.items()}
    if kind is list or kind is tuple:
        if _SCALARS.issuperset(map(type, value)):
            return value
        return [_plain(item, f"{path}[{place}]") for place, item in enumerate(value)]
    return _converted(value, path)


def _converted(value: Any, path: str) -> Any:
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return _from_numpy(value, path)
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Decimal):
        return _exact(value, path)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _text(bytes(value), path)
    if isinstance(value, Mapping):
        return _plain(dict(value), path)
    if isinstance(value, list | tuple):
        return _plain(list(value), path)
    raise TypeError(f"{_place(path)} holds {_named(value)}, which has no JSON form")


def _with_exact(document: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _exact(value, f".{key}") if type(value) is Decimal else value
        for key, value in document.items()
    }


def _exact(value: Decimal, path: str) -> Any:
    try:
        return decimal_form(value)
    except ValueError as error:
        raise TypeError(f"{_place(path)} holds {error}") from None


def _from_numpy(value: Any, path: str) -> Any:
    listed = value.tolist()
    if value.dtype.kind in _PLAIN_KINDS and value.dtype.itemsize <= 8:
        return listed
    if type(listed) is type(value):  # tolist() returns a long double unchanged
        return float(listed)
    return _plain(listed, path)


def _text(value: bytes, path: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise TypeError(
            f"{_place(path)} holds bytes that are not UTF-8 text; "
            "convert them to text first, for example with base64.b64encode(...).decode()"
        ) from None


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return str(key)
    if type(key).__module__ == "numpy" and hasattr(key, "item"):
        return _key(key.item(), path)
    raise TypeError(f"{_place(path)} has a key that is {_named(key)}; keys must be strings")


def _place(path: str) -> str:
    name = path.removeprefix(".")
    return f"key {name!r} of the result" if name else "the result"


def _named(value: Any) -> str:
    kind = type(value)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    name = f"{module}{kind.__qualname__}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
