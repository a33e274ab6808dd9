"""What is at the cursor of somebody who is typing."""

from __future__ import annotations

import re
from functools import cached_property, reduce

import msgspec

from engine.language.answers import TextEdit
from engine.language.positions import Position
from engine.language.workspace import Document
from engine.late_regex import late_regex
from engine.pipeline.cursor import Spot, spot_at
from engine.pipeline.half_written import PLACEHOLDER, finished
from engine.pipeline.nodes import Items, Node, Scalar, Table, child_of, plain
from engine.pipeline.source import KeyPath

_COMMENT = late_regex(r"(?:^|[ \t])#")
_COLON = late_regex(r"[ ]*:(?:[ \t\r\n]|$)")
_WORD_END = re.compile(r"\w*")


class Here(msgspec.Struct, frozen=True, dict=True):
    """A cursor in a `document` whose line has been finished so that it can be read.

    `index` is the cursor's place in both texts; `original` is the document as it is.
    """

    original: Document
    document: Document
    index: int
    spot: Spot

    @property
    def path(self) -> KeyPath:
        return self.spot.path

    @property
    def snap(self) -> str | None:
        """The label of the snap that the cursor is in; None if it is in none."""
        return str(self.path[1]) if self.path[:1] == ("snaps",) and len(self.path) > 1 else None

    @property
    def is_comment(self) -> bool:
        if self.spot.offset is not None:
            return False
        start, _ = self.original.lines.line_around(self.index)
        return bool(_COMMENT.search(self.original.text, start, self.index))

    @property
    def has_colon(self) -> bool:
        """Whether the key at the cursor is followed by its colon."""
        scalar = self.scalar
        is_new = scalar is None or self.written == ""
        end = self.index if is_new or scalar is None else scalar.end.index
        return bool(_COLON.match(self.original.text, end))

    def node(self, path: KeyPath) -> Node | None:
        """The value at a path of the finished document, if there is one."""
        return reduce(child_of, path, self.document.source.root)

    def value(self, path: KeyPath) -> object:
        """The plain value at a path; None if there is none."""
        node = self.node(path)
        return None if node is None else plain(node)

    @cached_property
    def scalar(self) -> Scalar | None:
        """The key or value that the cursor is in."""
        if self.spot.part == "value":
            node = self.node(self.path)
            return node if isinstance(node, Scalar) else None
        table = self.node(self.path[:-1]) if self.spot.part == "key" else None
        entry = table.entries.get(str(self.path[-1])) if isinstance(table, Table) else None
        return None if entry is None else entry.key

    @cached_property
    def _gap(self) -> str:
        """The spaces between the end of a plain value and the cursor, which YAML does not count."""
        scalar = self.scalar
        if scalar is None or scalar.style or scalar.text == PLACEHOLDER or not scalar.text:
            return ""
        return self.document.source.text.whole[scalar.end.index : self.index]

    @property
    def written(self) -> str:
        """The key or value that the cursor is in, as YAML reads it, and spaces after it."""
        scalar = self.scalar
        return "" if scalar is None or scalar.text == PLACEHOLDER else scalar.text + self._gap

    @property
    def offset(self) -> int | None:
        """How many characters of it precede the cursor; None if it is in no scalar."""
        scalar, offset = self.scalar, self.spot.offset
        if offset is None or (scalar is not None and self._is_after_quotes(scalar)):
            return None
        return offset + len(self._gap)

    def _is_after_quotes(self, scalar: Scalar) -> bool:
        end = scalar.end.index
        is_closed = self.document.source.text.whole[end - 1 : end] == scalar.style
        return scalar.style in ("'", '"') and is_closed and self.index >= end

    @property
    def typed(self) -> str:
        """What precedes the cursor of it."""
        return self.written[: self.offset or 0]

    @property
    def is_flow(self) -> bool:
        """Whether the cursor is between brackets of YAML, where commas and brackets end values."""
        around = [self.node(self.path[:count]) for count in range(len(self.path) + 1)]
        return any(
            self.document.source.text.whole.startswith(("{", "["), node.start.index)
            for node in around
            if isinstance(node, Table | Items)
        )

    @property
    def indent(self) -> str:
        """The spaces before what is written in the line of the cursor, and before list marks."""
        start, _ = self.original.lines.line_around(self.index)
        before = self.original.text[start : self.index]
        written = before.lstrip(" ")
        spaces = len(before) - len(written)
        while written.startswith("- "):
            inner = written[2:].lstrip(" ")
            spaces, written = spaces + len(written) - len(inner), inner
        return " " * spaces

    @property
    def line_break(self) -> str:
        return "\r\n" if "\r\n" in self.original.text else "\n"

    def replace_word(
        self, typed: int, text: str, rest_of_word: re.Pattern[str] = _WORD_END
    ) -> TextEdit:
        """Put `text` in place of the last `typed` characters and of the rest of that word."""
        rest = rest_of_word.match(self.original.text, self.index)
        end = rest.end() if rest else self.index
        return self.edit(self.index - typed, end, text)

    def replace_scalar(self, text: str) -> TextEdit:
        """Put `text` in place of the key or value that the cursor is in."""
        scalar = self.scalar
        if scalar is None or not self.written:
            return self.edit(self.index, self.index, text)
        start = min(scalar.start.index, self.index)
        return self.edit(start, max(scalar.end.index, self.index), text)

    def edit(self, start: int, end: int, text: str) -> TextEdit:
        """Put `text` in place of what is between two indexes, within the line of the cursor:
        editors take no edits that reach beyond it."""
        first, last = self.original.lines.line_around(self.index)
        start, end = max(start, first), min(end, last)
        if self.spot.part == "value" and self.original.text.endswith(":", 0, start):
            is_key_end = not self.written or not self.offset
            text = f" {text}" if is_key_end else text  # YAML wants a space there
        return TextEdit(self.original.lines.range(start, end), text)


def place_at(document: Document, position: Position) -> Here:
    """What is at a position of a document as it is, where nobody is typing."""
    index = document.lines.index(position)
    return Here(document, document, index, spot_at(document.source, index))


def here_at(document: Document, position: Position) -> Here:
    """What is at a position, or at the nearest one inside the document."""
    index = document.lines.index(position)
    text = finished(document.text, index)
    readable = document
    if text != document.text:
        readable = Document(document.workspace, document.path, text, document.version)
    return Here(document, readable, index, spot_at(readable.source, index))
