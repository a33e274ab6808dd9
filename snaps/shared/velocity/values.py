"""Values in templates: what a reference leads to, and how values compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.sdk import Value, to_json
from snaps.shared.typed_text import number_in


class MissingError(Exception):
    """A reference leads nowhere; `key` is what is missing in `value`."""

    def __init__(self, key: str | int, value: Value) -> None:
        super().__init__(key)
        self.key = key
        self.value = value


def as_text(value: Value) -> str:
    """A value as text: a string as it is, nothing for null, lists and maps as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = to_json(value, "the inserted value").decode()
    return text[1:-1] if text.startswith('"') else text


def member(value: Value, key: str | int) -> Value:
    """What is at a key of a map or at an index of a list. Raises MissingError."""
    try:
        return value[key]
    except (LookupError, TypeError):
        raise MissingError(key, value) from None


def call(value: Value, name: str, arguments: list[Value]) -> Value:
    """The result of a method, as Java has it. Raises MissingError for others."""
    methods = _METHODS_OF_ALL | _METHODS.get(type(value), {})
    try:
        return methods[name](value, *arguments)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise MissingError(f"{name}()", value) from None


def is_true(value: Value) -> bool:
    """Only null and false are not."""
    return value is not None and value is not False


def are_equal(left: Value, right: Value) -> bool:
    """Values of different types are equal if their texts are."""
    if left is None or right is None:
        return left is right
    if type(left) is type(right) or (_is_number(left) and _is_number(right)):
        return bool(left == right)
    return as_text(left) == as_text(right)


def number_of(value: Value) -> Any:
    """The value as a number. Raises ValueError."""
    if _is_number(value):
        return Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(value, str):
        return number_in(value)
    raise ValueError


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _entries(value: Mapping[str, Value]) -> list[Value]:
    return [{"key": key, "value": item} for key, item in value.items()]


_METHODS_OF_ALL: dict[str, Callable[..., Value]] = {
    "equals": are_equal,
    "toString": as_text,
}
_SIZED: dict[str, Callable[..., Value]] = {
    "isEmpty": lambda value: not value,
    "size": len,
}
_METHODS: dict[type, dict[str, Callable[..., Value]]] = {
    str: {
        "contains": lambda text, part: part in text,
        "endsWith": str.endswith,
        "indexOf": str.find,
        "isEmpty": lambda text: not text,
        "length": len,
        "replace": str.replace,
        "split": str.split,
        "startsWith": str.startswith,
        "substring": lambda text, start, end=None: text[start:end],
        "toLowerCase": str.lower,
        "toUpperCase": str.upper,
        "trim": str.strip,
    },
    list: {
        **_SIZED,
        "contains": lambda items, item: any(are_equal(each, item) for each in items),
        "get": lambda items, index: items[index],
    },
    dict: {
        **_SIZED,
        "containsKey": lambda items, key: key in items,
        "entrySet": _entries,
        "get": lambda items, key: items.get(key),
        "keySet": list,
        "values": lambda items: list(items.values()),
    },
}
