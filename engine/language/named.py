"""Things that have a name in users' files, and the places that mention them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from engine.language.workspace import Document
from engine.pipeline.nodes import Items, Node, Scalar, Table, child_of
from engine.pipeline.source import KeyPath

Kind = Literal["label", "parameter", "library", "member", "snap", "file"]


class Named(msgspec.Struct, frozen=True):
    """A thing that files mention: the same value wherever it is mentioned.

    `file` is the full path of the pipeline or library that defines it, or the file itself; empty
    for the class of a snap.
    """

    kind: Kind
    file: str
    name: str = ""


class Mention(msgspec.Struct, frozen=True):
    """Characters of a text, from index `start` to `end`, that name something."""

    named: Named
    start: int
    end: int
    defines: bool = False


class Mentions:
    """The mentions of one document, in the order of its text; each place counts once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: dict[tuple[int, int], Mention] = {}

    def __iter__(self) -> Iterator[Mention]:
        return iter(sorted(self._found.values(), key=lambda mention: mention.start))

    def add_value(self, named: Named, path: KeyPath, offset: int = 0, length: int = 0) -> None:
        """Characters of the value at a path; without a length, all of it."""
        self._add(named, path, offset, length)

    def add_key(self, named: Named, path: KeyPath, *, defines: bool = False) -> None:
        """The key at a path, as far as the name goes."""
        self._add(named, path, 0, len(named.name), at_key=True, defines=defines)

    def add_inside(
        self, named: Named, path: KeyPath, offset: int, length: int, *, at_key: bool
    ) -> None:
        """Characters of the value at a path, or of its key."""
        self._add(named, path, offset, length, at_key=at_key)

    def _add(
        self,
        named: Named,
        path: KeyPath,
        offset: int,
        length: int,
        *,
        at_key: bool = False,
        defines: bool = False,
    ) -> None:
        source = self.document.source
        length = length or len(_scalar_text(node_at(source.root, path))) - offset
        where = source.position(path, offset, length, at_key=at_key)
        start = source.text.starts[where.line - 1] + where.column - 1
        place = start, start + where.length
        self._found.setdefault(place, Mention(named, *place, defines))


def node_at(root: Node | None, path: KeyPath) -> Node | None:
    """The node that a path leads to."""
    node = root
    for step in path:
        node = child_of(node, step)
    return node


def keys_at(root: Node | None, path: KeyPath) -> list[str]:
    """The keys of the map at a path; none if there is no map."""
    node = node_at(root, path)
    return list(node.entries) if isinstance(node, Table) else []


def scalars_in(node: Node | None, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The text of each value in the node at a path, with its own path; aliases count once."""
    pending: list[tuple[Node, KeyPath]] = [] if node is None else [(node, path)]
    seen: set[int] = set()
    while pending:
        each, at = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Scalar):
            yield at, each.text
        elif isinstance(each, Items):
            pending += [(item, (*at, place)) for place, item in enumerate(each.items)]
        else:
            pending += [(entry.value, (*at, key)) for key, entry in each.entries.items()]


def full_path(*parts: str | Path) -> str:
    """The path of a file as all documents name it."""
    return os.path.abspath(Path(*parts))  # noqa: PTH100  # links stay


def _scalar_text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
