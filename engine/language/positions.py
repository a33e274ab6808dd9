"""Positions as editors count them, by lines and UTF-16 units, and as indexes into a text."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from engine.late_regex import late_regex

_LINE_BREAK = late_regex("\r\n|[\r\n]")
"""What ends a line in an editor; YAML also counts other characters as line breaks."""


class Position(NamedTuple):
    """A place between two characters: line and UTF-16 unit, both from 0."""

    line: int
    character: int


class Range(NamedTuple):
    """From `start` up to `end`, exclusive."""

    start: Position
    end: Position


class Lines:
    """The lines of a text. Positions and indexes outside it mean the nearest place inside."""

    def __init__(self, text: str) -> None:
        self.text = text
        breaks = list(_LINE_BREAK.finditer(text))
        self._starts = [0, *(found.end() for found in breaks)]
        self._ends = [*(found.start() for found in breaks), len(text)]

    def index(self, position: Position) -> int:
        """The index of a position; within a surrogate pair, that of the character after it."""
        if position.line < 0:
            return 0
        if position.line >= len(self._starts):
            return len(self.text)
        start, end = self._starts[position.line], self._ends[position.line]
        line = self.text[start:end]
        if line.isascii():
            return start + max(0, min(position.character, len(line)))
        units = 0
        for place, character in enumerate(line):
            if units >= position.character:
                return start + place
            units += 1 + (character > "\uffff")
        return end

    def position(self, index: int) -> Position:
        """The position of an index; between the characters of a line break, that before it."""
        index = max(0, min(index, len(self.text)))
        line = bisect_right(self._starts, index) - 1
        return Position(
            line, units_in(self.text[self._starts[line] : min(index, self._ends[line])])
        )

    def range(self, start: int, end: int) -> Range:
        """The range between two indexes."""
        return Range(self.position(start), self.position(max(start, end)))

    def line_around(self, index: int) -> tuple[int, int]:
        """Where the line that holds an index begins, and where it ends, without its break."""
        line = bisect_right(self._starts, max(0, min(index, len(self.text)))) - 1
        return self._starts[line], self._ends[line]


def units_in(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text) if text.isascii() else len(text) + sum(each > "\uffff" for each in text)
