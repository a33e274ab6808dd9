"""The position of every key and value in a pipeline file."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.locations import Location
from engine.pipeline.nodes import Entry, Items, Node, Scalar, Table
from engine.pipeline.origins import origins
from engine.pipeline.text import Text

KeyPath = tuple[str | int, ...]


class Source(msgspec.Struct, frozen=True):
    """A pipeline file's text and the position of each key and value in it.

    A key path leads from the root of the file, for example `("snaps", "read", "file")`. For a path
    that does not exist, the answer is the place of its nearest existing parent.
    `lost` are the lines that were left out, or are not finished, after a mistake in the YAML.
    """

    text: Text
    root: Node | None = None
    lost: frozenset[int] = frozenset()

    def where(self, path: KeyPath) -> Location:
        """The place of a value."""
        node = self._find(path)[1]
        return self._start() if node is None else self.text.span(node.start, node.end)

    def where_key(self, path: KeyPath) -> Location:
        """The place of a key; an item of a list has no key, so its own place."""
        key, node = self._find(path)
        place = key or node
        return self._start() if place is None else self.text.span(place.start, place.end)

    def position(
        self, path: KeyPath, offset: int, length: int = 1, *, at_key: bool = False
    ) -> Location:
        """The place of characters inside a value or, with `at_key`, inside a key.

        `offset` counts characters of the value as YAML gives it, without quotes and escapes.
        """
        return self.inside(path, at_key=at_key)(offset, length)

    def inside(self, path: KeyPath, *, at_key: bool = False) -> Callable[[int, int], Location]:
        """`position` for one value, for use with many of its characters."""
        key, value = self._find(path)
        node = key if at_key else value
        places = origins(self.text.whole, node) if isinstance(node, Scalar) else None
        whole = self.where_key(path) if at_key else self.where(path)

        def position(offset: int, length: int) -> Location:
            if not places:
                return whole
            first = places[min(offset, len(places) - 1)] + max(0, offset - len(places) + 1)
            last = places[min(offset + max(length, 1), len(places)) - 1]
            return self.text.at_index(first, last - first + 1)

        return position

    def cut_by(self, path: KeyPath, *, at_key: bool = False) -> str:
        """The character, `#` or `,`, at which YAML ends an unquoted value within its line."""
        key, value = self._find(path)
        node = key if at_key else value
        if not isinstance(node, Scalar) or node.style:
            return ""
        rest = self.text.lines[node.end.line][node.end.column :].lstrip()
        return rest[:1] if rest.startswith(("#", ",")) else ""

    def is_quoted(self, path: KeyPath, *, at_key: bool = False) -> bool:
        """Whether the value, or the key, is in YAML quotes."""
        key, value = self._find(path)
        node = key if at_key else value
        return isinstance(node, Scalar) and node.style in ("'", '"')

    def is_incomplete(self, path: KeyPath) -> bool:
        """Whether lines are lost between a key and its next sibling."""
        if not self.lost:
            return False
        lines = range(len(self.text.lines))
        node = self.root
        for step in path:
            entry = _child(node, step)
            if not isinstance(node, Table) or not isinstance(entry, Entry):
                break
            start = entry.key.start.line
            later = (each.key.start.line for each in node.entries.values())
            lines = range(start, min((line for line in later if line > start), default=lines.stop))
            node = entry.value
        return any(line in self.lost for line in lines)

    def lost_text(self) -> str:
        """The lines that are lost."""
        return "\n".join(self.text.lines[line] for line in sorted(self.lost))

    def _start(self) -> Location:
        return self.text.at(0, 0)

    def _find(self, path: KeyPath) -> tuple[Scalar | None, Node | None]:
        key, node = None, self.root
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            key, node = (found.key, found.value) if isinstance(found, Entry) else (None, found)
        return key, node


def _child(node: Node | None, step: str | int) -> Entry | Node | None:
    if isinstance(node, Table):
        return node.entries.get(str(step))
    if isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None
