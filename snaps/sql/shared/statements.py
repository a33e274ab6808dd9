"""SQL statements with values to bind: as the author wrote them, and as the driver takes them.

A statement is a list of pieces: text, and marks for values. So no value of a document ever becomes
part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

_SKIPPED = r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
    | --[^\n]* | /\*.*?\*/
    | \$\$.*?\$\$ | \$(?P<tag>[A-Za-z_]\w*)\$.*?\$(?P=tag)\$
"""
"""Strings, quoted names, comments, and strings in dollar signs: there a `$` means nothing."""

_STEP = r"""\.[A-Za-z_]\w* | \[\d+\] | \['[^']*'\] | \["[^"]*"\]"""
_PATH = rf"""(?<![\w$])\$ (?:[A-Za-z_]\w* | {_STEP}) (?:{_STEP})*"""
_PARTS = re.compile(rf"(?P<skipped>{_SKIPPED})|(?P<path>{_PATH})", re.VERBOSE | re.DOTALL)


class Mark(NamedTuple):
    """The place of a value; `path` leads to it in the document, if it comes from there."""

    path: str = ""


Piece = str | Mark


class Statement(NamedTuple):
    """Pieces of a statement, in order."""

    pieces: tuple[Piece, ...]

    @classmethod
    def parse(cls, text: str) -> Statement:
        """A statement in which each `$path` outside of strings and comments is a value."""
        return cls(tuple(_pieces(text)))

    @property
    def marks(self) -> list[Mark]:
        """The marks, in the order of the text."""
        return [piece for piece in self.pieces if isinstance(piece, Mark)]

    @property
    def shown(self) -> str:
        """The statement for messages: with a `?` for each value, on one line."""
        text = "".join("?" if isinstance(piece, Mark) else piece for piece in self.pieces)
        return " ".join(text.split())


def joined(*parts: str | Mark | Statement) -> Statement:
    """One statement of text, marks and statements."""
    pieces: list[Piece] = []
    for part in parts:
        pieces += part.pieces if isinstance(part, Statement) else (part,)
    return Statement(tuple(pieces))


def separated(items: Sequence[str | Mark | Statement], separator: str = ", ") -> Statement:
    """The items with the separator between them."""
    parts: list[str | Mark | Statement] = []
    for item in items:
        parts += [separator, item] if parts else [item]
    return joined(*parts)


class DriverText(NamedTuple):
    """A statement in the style of a driver; `has_values` tells whether any are bound."""

    text: str
    named: bool
    has_values: bool

    def arguments(self, values: Sequence[Any]) -> Any:
        """The values, in the order of the marks, as the driver takes them."""
        if self.named:
            return {f"v{index}": value for index, value in enumerate(values)}
        return tuple(values)


def for_driver(statement: Statement, style: str) -> DriverText:
    """The statement in a parameter style of the DB-API (PEP 249)."""
    has_values = bool(statement.marks)
    doubles = style in ("format", "pyformat") and has_values
    text, count = [], 0
    for piece in statement.pieces:
        if isinstance(piece, str):
            text.append(piece.replace("%", "%%") if doubles else piece)
        else:
            text.append(_PLACEHOLDERS[style].format(count, count + 1))
            count += 1
    return DriverText("".join(text), style in ("named", "pyformat"), has_values)


_PLACEHOLDERS = {
    "qmark": "?",
    "format": "%s",
    "pyformat": "%(v{0})s",
    "named": ":v{0}",
    "numeric": ":{1}",
    "numeric_dollar": "${1}",
}


def _pieces(text: str) -> Iterator[Piece]:
    start = 0
    for found in _PARTS.finditer(text):
        if found["path"]:
            if found.start() > start:
                yield text[start : found.start()]
            yield Mark(found["path"])
            start = found.end()
    if start < len(text):
        yield text[start:]
