"""Documents as text of a given width: rows of a table, or trees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from engine.documents import Document
from engine.errors import DataError
from engine.sdk import to_json
from engine.sdk.excerpts import excerpt

_GAP = "  "
_WIDEST, _NARROWEST = 32, 8
"""Columns of a table are as wide as their values, within these bounds."""

_NARROWEST_TREE = 16
_LONGEST_LIST = 5
"""Elements of a list that are shown in a tree."""

_LOOKS_LIKE_ANOTHER = re.compile(r"null|true|false|-?[\d.]+([eE][+-]?\d+)?|\s.*|.*\s|", re.DOTALL)


class Grid(NamedTuple):
    """The lines of a table."""

    head: str
    rows: Sequence[str]


def grid_of(documents: Sequence[Document], numbers: Sequence[str], width: int) -> Grid | None:
    """Documents as a table with a column for each path; None if they are nested too deeply for
    that, or have too many fields for the width."""
    from rich.cells import cell_len

    rows = []
    for document in documents:
        row = dict(_leaves(document))
        if any(isinstance(value, dict | list) for value in row.values()):
            return None
        rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return None
    cells = [[_cell(row[name]) if name in row else "" for name in names] for row in rows]
    natural = [max(map(cell_len, column)) for column in zip(names, *cells, strict=True)]
    number_width = max(map(len, numbers))
    room = width - number_width - len(_GAP) * len(names)
    widths = _fitted(natural, room)
    if widths is None:
        return None
    right = [all(_is_number(row.get(name)) for row in rows) for name in names]
    shown = list(map(_fit, names, widths, right))
    if len(set(shown)) < len(names):  # cut, `customer.name` and `customer.mail` look the same
        return None
    heads = [" " * number_width, *shown]
    lines = []
    for number, row_cells in zip(numbers, cells, strict=True):
        fitted = map(_fit, row_cells, widths, right)
        lines.append(_GAP.join([number.rjust(number_width), *fitted]).rstrip())
    return Grid(_GAP.join(heads).rstrip(), lines)


def tree(value: Any, width: int) -> Iterator[str]:
    """The lines of a map or list, as in YAML; what is nested too deeply for the width is JSON."""
    for name, item in _named_items(value):
        prefix = f"{name} " if name == "-" else f"{name}: "
        if isinstance(item, dict | list) and item and width > _NARROWEST_TREE:
            inner = list(tree(item, width - 2))
            if name == "-":
                yield f"- {inner[0]}"
                yield from (f"  {line}" for line in inner[1:])
            else:
                yield prefix.rstrip()
                yield from (f"  {line}" for line in inner)
        else:
            yield in_line(item, width, prefix)


def in_line(value: Any, width: int, prefix: str = "", *, quotes: bool = True) -> str:
    """A value on one line, shortened to the width."""
    text = _cell(value) if quotes else _printable(str(value))
    return _fit(prefix + text, max(width, 10), right=False).rstrip()


def _named_items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield _printable(str(key)), item
        return
    for item in value[:_LONGEST_LIST]:
        yield "-", item
    if len(value) > _LONGEST_LIST:
        yield f"… {len(value) - _LONGEST_LIST:,} more of", len(value)


def _leaves(document: Document, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a document by their paths, in order; maps become dotted names."""
    for key, value in document.items():
        name = prefix + _printable(key)
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{name}.")
        elif isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
            yield name, _InLine(", ".join(map(_cell, value[:20])))
        else:
            yield name, _InLine("{}") if value == {} else value


class _InLine(str):
    """A value that has been made text."""


def _cell(value: Any) -> str:
    """A value as short text. A string is in quotes only where it could be taken for something
    else."""
    if isinstance(value, _InLine):
        return f"[{value}]" if value != "{}" else "{}"
    if isinstance(value, str):
        if _LOOKS_LIKE_ANOTHER.fullmatch(value):
            return to_json(value).decode()
        return _printable(value)
    if isinstance(value, bytes):
        return f"<{len(value):,} bytes>"
    try:
        return _printable(to_json(value).decode().strip('"'))
    except DataError:
        return _printable(excerpt(value))


_JOINER = "\u200d"
"""It makes one emoji of several."""


def _printable(text: str) -> str:
    """The text with all characters that cannot be seen as escapes."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == _JOINER else ascii(char)[1:-1] for char in text
    )


def _is_number(value: Any) -> bool:
    return value is None or (
        isinstance(value, int | float | Decimal) and value.__class__ is not bool
    )


def _fitted(natural: Sequence[int], room: int) -> list[int] | None:
    """The widths of columns that fit the room: the widest are cut first."""
    widths = [min(width, _WIDEST) for width in natural]
    while sum(widths) > room:
        widest = max(widths)
        if widest <= _NARROWEST:
            return None
        widths[widths.index(widest)] -= 1
    return widths


def _fit(text: str, width: int, right: bool) -> str:  # mapped over columns
    from rich.cells import cell_len, set_cell_size

    length = cell_len(text)
    if length > width:
        return f"{set_cell_size(text, width - 1).rstrip()}…"
    padding = " " * (width - length)
    return padding + text if right else text + padding
