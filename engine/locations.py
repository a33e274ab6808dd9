"""Places in user files: every key of a pipeline file knows its position."""

from __future__ import annotations

import msgspec

from engine.errors import underlined


class Location(msgspec.Struct, frozen=True, eq=False):
    """A place in a text file. Lines and columns count from 1, `length` in characters.

    `source_line` is the line itself, for messages that show it without opening the file again.
    """

    path: str
    line: int = 1
    column: int = 1
    length: int = 1
    source_line: str = ""

    @property
    def _key(self) -> tuple[str, int, int, int]:
        return self.path, self.line, self.column, self.length

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Location) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """The source line with carets under the place; empty if the line is unknown."""
        if not self.source_line.strip():
            return ""
        number = str(self.line)
        line, carets = underlined(self.source_line, self.column - 1, self.length)
        return f"  {number} | {line}\n  {' ' * len(number)} | {carets}"
