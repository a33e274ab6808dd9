"""Values as an exported file stores them: nearly every leaf is `{"value": X, "expression": true}`.

A column of a table may itself be called `value` or `expression`, so rows are never taken for
leaves, and only `expression: true` makes an expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

Json = Any
ENCODER = msgspec.json.Encoder(decimal_format="number")
GROUP = "."
TABLE = "[]."


class Leaf(msgspec.Struct, frozen=True):
    """A stored value; with `is_expression` its text is an expression."""

    value: Json = None
    is_expression: bool = False

    @property
    def is_unset(self) -> bool:
        if isinstance(self.value, str):
            return not self.value.strip(" \r\n")  # a tab is a delimiter
        return self.value is None

    @property
    def matters(self) -> bool:
        """Whether it is set to anything but false, 0 or nothing."""
        return not self.is_unset and self.value not in (False, 0, "None", [], {})

    @property
    def text(self) -> str:
        """The value as the text that a user would see in its field."""
        if isinstance(self.value, str):
            return self.value
        return ENCODER.encode(self.value).decode()


UNSET = Leaf()
Row = dict[str, Leaf]
Table = list[Row]
Flat = dict[str, Leaf | Table]
"""Settings by key; the key of a setting in a group follows a dot."""


def leaf_of(stored: Json) -> Leaf:
    """The value of a wrapper; anything that is not a wrapper is a value itself."""
    if isinstance(stored, Mapping) and ("value" in stored or "expression" in stored):
        return Leaf(stored.get("value"), stored.get("expression") is True)
    return Leaf(stored)


def text_of(stored: Json) -> str:
    """The text of a wrapper; empty if it holds none."""
    leaf = leaf_of(stored)
    return "" if leaf.is_unset or isinstance(leaf.value, dict | list) else leaf.text


def flat(settings: Json) -> Flat:
    """The settings of a snap, those in groups included."""
    found: Flat = {}
    for key, stored in _entries(settings):
        _add(found, key, stored)
    return found


def rows_of(stored: Json) -> Table:
    """The rows of a table that have anything in them."""
    value = leaf_of(stored).value
    rows = [_row(item) for item in value] if isinstance(value, list) else []
    return [row for row in rows if not is_blank(row)]


def is_blank(row: Row) -> bool:
    return all(leaf.is_unset for leaf in row.values())


def _is_blank_row(item: Json) -> bool:
    return isinstance(item, Mapping) and is_blank(_row(item))


def _add(found: Flat, key: str, stored: Json) -> None:
    leaf = leaf_of(stored)
    value = leaf.value
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        found[key] = rows_of(stored)
    elif isinstance(value, list) and not value:
        found[key] = []
    elif _is_group(value):
        for name, member in value.items():
            _add(found, f"{key}{GROUP}{name}", member)
    else:
        found[key] = leaf


def _is_group(value: Json) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, Mapping) for each in value.values())


def _row(item: Json) -> Row:
    row: Row = {}
    for column, stored in _entries(item):
        leaf = leaf_of(stored)
        if _is_group(leaf.value):
            row.update((f"{column}{GROUP}{name}", leaf_of(v)) for name, v in leaf.value.items())
        else:
            row[column] = leaf
    return row


def _entries(stored: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(stored, Mapping):
        yield from stored.items()


def simplified(stored: Json) -> Json:
    """A stored value as one would write it in YAML: without wrappers, expressions after `=`."""
    leaf = leaf_of(stored)
    value = leaf.value
    if isinstance(value, Mapping):
        return {name: simplified(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_simplified_row(item) for item in value if not _is_blank_row(item)]
    if leaf.is_expression and not leaf.is_unset:
        return f"= {leaf.text.strip()}"
    if isinstance(value, str) and value.startswith("="):
        return f"= {msgspec.json.encode(value).decode()}"
    return value


def _simplified_row(item: Json) -> Json:
    if not isinstance(item, Mapping):
        return item
    return {column: simplified(stored) for column, stored in item.items()}


def wrapped(value: Json) -> Json:
    """The opposite of `simplified`."""
    if isinstance(value, Mapping):
        return {"value": {name: wrapped(member) for name, member in value.items()}}
    if isinstance(value, list):
        return {"value": [_wrapped_row(item) for item in value]}
    if isinstance(value, str) and value.startswith("="):
        return {"value": value[1:].strip(), "expression": True}
    return {"value": value}


def _wrapped_row(item: Json) -> Json:
    if not isinstance(item, Mapping):
        return item
    return {column: wrapped(stored) for column, stored in item.items()}
