"""Small changes that let the YAML parser continue after a mistake and keep all places valid."""

from __future__ import annotations

from collections.abc import Iterable

from engine.hints import LineChange
from engine.pipeline.text import Mark, Text


class RepairedText:
    """A text with changes in its lines; the number of lines never changes.

    `damage` holds the lines whose content is not completely known.
    """

    def __init__(self, text: Text) -> None:
        self.original = text
        self.damage: set[int] = set()
        self._changes: dict[int, list[LineChange]] = {}
        self._starts = text.starts
        self._last = len(text.lines) - 1

    def apply(self, changes: Iterable[LineChange]) -> None:
        for change in changes:
            here = self._changes.setdefault(change.line, [])
            here.append(change)
            here.sort(key=lambda each: each.column)

    def empty(self, lines: Iterable[int]) -> None:
        """Empty lines and drop earlier changes to them."""
        for line in lines:
            length = len(self.original.lines[line])
            if length:
                self._changes[line] = [LineChange(line, 0, length)]
                self.damage.add(line)

    def is_changed(self, line: int) -> bool:
        return line in self._changes

    def line(self, number: int) -> str:
        """A line with its changes applied."""
        text, shift = self.original.lines[number], 0
        for change in self._changes.get(number, ()):
            start = change.column + shift
            text = text[:start] + change.added + text[start + change.removed :]
            shift += len(change.added) - change.removed
        return text

    @property
    def whole(self) -> str:
        if not self._changes:
            return self.original.whole
        parts, done = [], 0
        for number in sorted(self._changes):
            start = self.original.starts[number]
            parts += [self.original.whole[done:start], self.line(number)]
            done = start + len(self.original.lines[number])
        return "".join([*parts, self.original.whole[done:]])

    def mark(self, line: int, column: int) -> Mark:
        """The mark in the file for a place in the repaired text."""
        if line > self._last:
            line, column = self._last, len(self.original.lines[self._last])
        elif self._changes:
            column = self._column(line, column)
        return Mark(self._starts[line] + column, line, column)

    def _column(self, line: int, column: int) -> int:
        shift = 0
        for change in self._changes.get(line, ()):
            start = change.column + shift
            if column < start:
                break
            if column < start + len(change.added):
                return change.column
            shift += len(change.added) - change.removed
        return min(column - shift, len(self.original.lines[line]))
