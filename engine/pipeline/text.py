"""The text of a user's file by lines, and the places in it."""

from __future__ import annotations

import re
from bisect import bisect_right

import msgspec

from engine.locations import Location

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


class Mark(msgspec.Struct, frozen=True):
    """A place in a text: characters from its start, and line and column, all from 0."""

    index: int
    line: int
    column: int


class Text(msgspec.Struct, frozen=True):
    """A file's text as YAML splits it into lines."""

    path: str
    whole: str
    lines: tuple[str, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, path: str, whole: str) -> Text:
        starts = (0, *(found.end() for found in LINE_BREAK.finditer(whole)))
        return cls(path, whole, tuple(LINE_BREAK.split(whole)), starts)

    def at(self, line: int, column: int, length: int = 1) -> Location:
        """The place at `line` and `column`, counted from 0, cut at the end of the line."""
        text = self.lines[line] if line < len(self.lines) else ""
        length = max(1, min(length, len(text) - column))
        return Location(self.path, line + 1, column + 1, length, text)

    def at_index(self, index: int, length: int = 1) -> Location:
        """The place of the character at `index`, counted in the complete text."""
        line = bisect_right(self.starts, index) - 1
        return self.at(line, index - self.starts[line], length)

    def span(self, start: Mark, end: Mark) -> Location:
        """From one mark to another, or to the end of the first line."""
        length = end.column - start.column if end.line == start.line else len(self.whole)
        return self.at(start.line, start.column, length)
