"""Places in user files: every key of a pipeline file knows its position."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a text file. Lines and columns count from 1, `length` in characters.

    `source_line` is the line itself, for messages that show it without opening the file again.
    """

    path: str
    line: int = 1
    column: int = 1
    length: int = 1
    source_line: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """The source line with carets under the place; empty if the line is unknown."""
        if not self.source_line.strip():
            return ""
        number = str(self.line)
        line = self.source_line.expandtabs(1)
        carets = "^" * max(1, min(self.length, len(line) - self.column + 1))
        gutter = " " * len(number)
        return f"  {number} | {line}\n  {gutter} | {' ' * (self.column - 1)}{carets}"
