"""YAML nodes with their positions; aliases share a node."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.pipeline.scalars import Plain
from engine.pipeline.text import Mark


class Scalar(msgspec.Struct):
    """A single value. `style` is empty for a plain one, else its first character: ' " | or >."""

    start: Mark
    end: Mark
    text: str
    value: Plain
    style: str = ""
    size: int = 1
    height: int = 1


class Items(msgspec.Struct):
    """A list. `size` and `height` count the list with aliases expanded."""

    start: Mark
    end: Mark
    items: list[Node] = msgspec.field(default_factory=list)
    size: int = 1
    height: int = 1

    def children(self) -> list[Node]:
        return self.items


class Entry(msgspec.Struct):
    key: Scalar
    value: Node


class Table(msgspec.Struct):
    """A map. Keys are strings as written, whatever type YAML would give them."""

    start: Mark
    end: Mark
    entries: dict[str, Entry] = msgspec.field(default_factory=dict)
    size: int = 1
    height: int = 1

    def children(self) -> list[Node]:
        return [entry.value for entry in self.entries.values()]


Node = Scalar | Items | Table


def child_of(node: Node | None, step: str | int) -> Node | None:
    """What is in a map or list at a key or place; None if there is nothing."""
    if isinstance(node, Table):
        entry = node.entries.get(str(step))
        return None if entry is None else entry.value
    if isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def plain(node: Node) -> Any:
    """The node as plain Python values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}
