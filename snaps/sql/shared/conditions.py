"""Conditions of UPDATE, DELETE and MERGE, and which fields of a document they leave to be set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from engine.sdk import BoundText, Document, Issue
from snaps.sql.shared.columns import Columns
from snaps.sql.shared.settings import is_empty
from snaps.sql.shared.statements import Piece, Statement

_FIRST_NAME = re.compile(r"""\$\.?(\w+)|\$\[['"]([^'"]*)['"]\]""")
_MAX_SHAPES = 1_000
NO_CONDITION = Statement(())


class Fields(NamedTuple):
    """The columns of a document's fields by key: all that are columns, and those to set."""

    columns: Mapping[str, str]
    changed: Mapping[str, str]


class FieldsOf:
    """Which fields of a document a condition leaves to be set, for documents that look alike.

    Not set are fields that the condition compares with the column of the same name, as in
    `id = $id`. Fields without a column that the condition uses belong to it alone.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, ...], Statement], Fields] = {}

    def __call__(self, document: Document, condition: Statement, columns: Columns) -> Fields:
        """Raises DataError for a field without a column."""
        shape = tuple(document), condition
        fields = self._known.get(shape)
        if fields is None:
            if len(self._known) >= _MAX_SHAPES:
                self._known.clear()
            fields = self._known[shape] = _fields(tuple(document), condition, columns)
        return fields


def where(head: Statement, condition: Statement) -> Statement:
    """A statement with its condition, if there is one."""
    if not condition.pieces:
        return head
    pieces: tuple[Piece, ...] = (*head.pieces, " WHERE ", *condition.pieces)
    return Statement(pieces)


def check_condition(text: BoundText | None, name: str, consequence: str) -> Iterable[Issue]:
    """A warning if there is no condition."""
    if is_empty(text):
        yield Issue(
            (name,),
            f"without {name}, {consequence}",
            f"add '{name}: id = $id', unless that is what you want",
            code="unclear-setting",
            severity="warning",
        )


def _fields(keys: tuple[str, ...], condition: Statement, columns: Columns) -> Fields:
    used = {_first_name(mark.path) for mark in condition.marks}
    named = {key: columns.named(key) for key in keys if key not in used or columns.has(key)}
    changed = {
        key: column
        for key, column in named.items()
        if not (key in used and _is_compared(key, condition))
    }
    return Fields(named, changed)


def _is_compared(key: str, condition: Statement) -> bool:
    """Whether the condition says `key = $key`, which setting it would not change."""
    pieces = condition.pieces
    name = rf"""(?<![\w$])["`\[]?{re.escape(key)}["`\]]?\s*=\s*\Z"""
    return any(
        isinstance(text, str)
        and not isinstance(mark, str)
        and _first_name(mark.path) == key
        and re.search(name, text, re.IGNORECASE)
        for text, mark in pairwise(pieces)
    )


def _first_name(path: str) -> str:
    found = _FIRST_NAME.match(path)
    return (found[1] or found[2] or "") if found else ""
