"""From a place in a pipeline file to the key or value there: the way back of `Source.position`.

A place is an index into the file's text, between two characters.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Literal

import msgspec

from engine.pipeline.nodes import Entry, Items, Node, Scalar, Table
from engine.pipeline.origins import origins
from engine.pipeline.source import KeyPath, Source


class Spot(msgspec.Struct, frozen=True):
    """What is at a place in a file.

    `part` says whether the place is in the key or the value that `path` leads to, or `between`
    the entries of the map or list there. `offset` counts characters of the key or value as YAML
    gives it, without quotes and escapes; it is None if that is not a scalar, or unknown.
    """

    path: KeyPath
    part: Literal["key", "value", "between"]
    offset: int | None = None


def spot_at(source: Source, index: int) -> Spot:
    """What is at the index. Within empty lines, the column decides which map is meant."""
    index = max(0, min(index, len(source.text.whole)))
    if source.root is None:
        return Spot((), "between")
    return _Finder(source, index).in_node(source.root, ())


class _Finder:
    def __init__(self, source: Source, index: int) -> None:
        self.whole = source.text.whole
        self.index = index
        line = source.text.at_index(index).line - 1
        self.column = index - source.text.starts[line]
        self.is_written = bool(source.text.lines[line].strip())

    def in_node(self, node: Node, path: KeyPath) -> Spot:
        if isinstance(node, Scalar):
            return Spot(path, "value", self.offset_in(node))
        if self.is_behind_bracket(node):
            return Spot(path, "value")
        found = self.in_table(node, path) if isinstance(node, Table) else self.in_items(node, path)
        return found or Spot(path, "between")

    def in_table(self, table: Table, path: KeyPath) -> Spot | None:
        before: tuple[str, Entry] | None = None
        for name, entry in table.entries.items():
            start = entry.key.start.index
            is_before = self.is_own(table, entry) and start <= self.index
            if is_before and (before is None or start > before[1].key.start.index):
                before = name, entry
        if before is None:
            return None
        name, entry = before
        if self.index <= entry.key.end.index:
            return Spot((*path, name), "key", self.offset_in(entry.key))
        return self.in_value(table, entry, (*path, name))

    def is_own(self, table: Table, entry: Entry) -> bool:
        """Whether the entry is written in the table, rather than merged into it."""
        return table.start.index <= entry.key.start.index <= table.end.index

    def in_value(self, table: Table, entry: Entry, path: KeyPath) -> Spot | None:
        value, colon = entry.value, self.whole.find(":", entry.key.end.index)
        if not 0 <= colon < self.index:
            return Spot(path, "key", None)
        if value.start.index < entry.key.end.index:  # an alias: the value is written elsewhere
            return Spot(path, "value") if self.is_in_rest_of_line(colon) else None
        if self.is_in(value):
            return self.in_node(value, path)
        if self.is_flow(table) and "," in self.whole[value.end.index : self.index]:
            return None
        is_deeper = self.is_flow(table) or self.column > entry.key.start.column
        if isinstance(value, Scalar):
            is_missing = not value.text and (is_deeper or self.index <= value.start.index)
            is_before = self.index <= value.start.index
            if not (is_missing or is_before or self.is_in_rest_of_line(colon)):
                return None
            offset = 0 if is_missing or is_before else self.offset_after(value)
            return Spot(path, "value", offset)
        is_inside = self.index < value.start.index or self.column >= value.start.column
        return self.in_node(value, path) if is_deeper and is_inside else None

    def in_items(self, items: Items, path: KeyPath) -> Spot | None:
        for place in range(len(items.items) - 1, -1, -1):
            item = items.items[place]
            if self.is_in(item):
                return self.in_node(item, (*path, place))
            if item.start.index <= self.index:
                if isinstance(item, Scalar) and self.offset_after(item) is not None:
                    return Spot((*path, place), "value", self.offset_after(item))
                is_inside = isinstance(item, Table) and self.column >= item.start.column
                return self.in_node(item, (*path, place)) if is_inside else None
        return None

    def is_in(self, node: Node) -> bool:
        if isinstance(node, Scalar) or self.is_flow(node):
            return node.start.index <= self.index <= node.end.index
        is_within = node.start.index <= self.index <= node.end.index
        return is_within and self.is_written  # in an empty line, indentation decides

    def is_flow(self, node: Node) -> bool:
        return self.whole.startswith(("{", "["), node.start.index)

    def is_behind_bracket(self, node: Node) -> bool:
        """Whether the node's closing bracket is before the place, so that nothing fits there."""
        closing = {"{": "}", "[": "]"}.get(self.whole[node.start.index : node.start.index + 1])
        end = node.end.index
        return closing is not None and self.whole[end - 1] == closing and end <= self.index

    def is_in_rest_of_line(self, start: int) -> bool:
        return not any(mark in self.whole[start : self.index] for mark in "\r\n")

    def offset_after(self, scalar: Scalar) -> int | None:
        """The end of the scalar if there are only spaces between it and the place."""
        between = self.whole[scalar.end.index : self.index]
        return len(scalar.text) if not between.strip(" \t") else None

    def offset_in(self, scalar: Scalar) -> int | None:
        """How many characters of the scalar are before the place; None if that is unknown."""
        places = origins(self.whole, scalar)
        if places is None:
            return 0 if self.index == scalar.start.index else None
        return bisect_left(places, self.index)
