"""Quotes that open on one line and close on another, where they were not meant to."""

from __future__ import annotations

from collections.abc import Sequence

from engine.pipeline.text import Mark
from engine.pipeline.yaml_lines import parse_line

_MAX_LINES_BACK = 30
"""How many lines back to look for a quote that reaches the place of an error."""


def quote_over_lines(lines: Sequence[str], place: Mark) -> Mark | None:
    """The opening of a quoted value that runs from an earlier line to just before the place."""
    for number in range(place.line - 1, max(-1, place.line - _MAX_LINES_BACK), -1):
        column = _open_quote_in(lines[number], parse_line(number, lines[number]).value_column)
        if column is None:
            continue
        closing = _closing(lines, number, column, place.line)
        if closing is None or closing.line != place.line or closing.column >= place.column:
            return None
        return Mark(0, number, column)
    return None


def _open_quote_in(text: str, start: int) -> int | None:
    """The column of a quote that begins a value in this line and is not closed in it."""
    position = start
    while position < len(text):
        sign = text[position]
        if sign in "'\"" and text[start:position].rstrip()[-1:] in ("", "[", "{", ",", ":"):
            closing = _closing([text], 0, position, 0)
            if closing is None:
                return position
            position = closing.column
        position += 1
    return None


def _closing(lines: Sequence[str], number: int, column: int, last: int) -> Mark | None:
    """Where the quote at a column closes, up to the line `last`."""
    sign = lines[number][column]
    start = column + 1
    for at in range(number, last + 1):
        text, position = lines[at], start
        while (found := text.find(sign, position)) >= 0:
            if sign == "'" and text[found + 1 : found + 2] == "'":
                position = found + 2
            elif sign == '"' and text[found - 1 : found] == "\\":
                position = found + 1
            else:
                return Mark(0, at, found)
        start = 0
    return None
