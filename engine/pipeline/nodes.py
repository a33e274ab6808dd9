"""YAML nodes with their positions; aliases share a node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.pipeline.scalars import Plain
from engine.pipeline.text import Mark


@dataclass(slots=True)
class Scalar:
    """A single value. `style` is empty for a plain one, else its first character: ' " | or >."""

    start: Mark
    end: Mark
    text: str
    value: Plain
    style: str = ""
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class Items:
    """A list. `size` and `height` count the list with aliases expanded."""

    start: Mark
    end: Mark
    items: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1

    def children(self) -> list[Node]:
        return self.items


@dataclass(slots=True)
class Entry:
    key: Scalar
    value: Node


@dataclass(slots=True)
class Table:
    """A map. Keys are strings as written, whatever type YAML would give them."""

    start: Mark
    end: Mark
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1
    height: int = 1

    def children(self) -> list[Node]:
        return [entry.value for entry in self.entries.values()]


Node = Scalar | Items | Table


def plain(node: Node) -> Any:
    """The node as plain Python values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}
