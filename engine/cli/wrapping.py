"""Lines that fit a terminal: broken between words, or cut around a marked place."""

from __future__ import annotations

import textwrap
from typing import TextIO

from engine.cli import terminal_columns
from engine.visible import cells

_NARROWEST = 20
"""Columns that are used even if the terminal has fewer."""

_MORE = "…"
_SECOND_CELL = "\0"
"""Follows a wide character while the columns of a line are counted as characters. No text that is
printed has it (engine.visible)."""

HINT = "  hint: "


def width_of(stream: TextIO) -> int:
    """The columns of a terminal; 0 for anything else, where lines stay as long as they are."""
    return max(terminal_columns(stream), _NARROWEST) if stream.isatty() else 0


def wrapped(text: str, width: int, hanging: int) -> str:
    """A line broken between words; all but the first are indented by `hanging`."""
    if not width or cells(text) <= width:
        return text
    lines = textwrap.wrap(
        "".join(f"{char}{_SECOND_CELL * (cells(char) - 1)}" for char in text),
        width,
        subsequent_indent=" " * min(hanging, width // 2),
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_SECOND_CELL, "")


def fitted(text: str, width: int) -> str:
    """A message for a terminal: texts broken between words, the line of a file or expression cut
    around its place, so that the carets stay below it."""
    if not width:
        return text
    lines = text.split("\n")
    found: list[str] = []
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if are_carets(below) and not are_carets(line):
            found += _cut_around(line, below, width)
        elif not are_carets(line):
            found.append(wrapped(line, width, 4))
    return "\n".join(found)


def are_carets(line: str) -> bool:
    """Whether the line only marks a place in the one above it."""
    return "^" in line and not line.strip(" |^")


def _cut_around(line: str, carets: str, width: int) -> tuple[str, str]:
    """The part of `12 | line` of a file, or of an expression, around the place that is marked."""
    if cells(line) <= width:
        return line, carets
    head = carets.index("|") + 2 if "|" in carets else 2
    text, marks = line[head:], carets[head:]
    start = _index_at(text, len(marks) - len(marks.lstrip()))
    room = width - head - 2
    first = max(0, min(start - room // 3, len(text) - room))
    last = first
    while last < len(text) and cells(text[first : last + 1]) <= room:
        last += 1
    before, after = _MORE * bool(first), _MORE * (last < len(text))
    at = cells(before + text[first:start])
    marked = min(marks.count("^"), max(1, room + len(before) - at))
    return (
        f"{line[:head]}{before}{text[first:last]}{after}",
        f"{carets[:head]}{' ' * at}{'^' * marked}",
    )


def _index_at(text: str, column: int) -> int:
    """The character that is shown at a column."""
    for index in range(len(text)):
        if cells(text[:index]) >= column:
            return index
    return len(text)
