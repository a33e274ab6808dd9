"""Where the entries of a file's maps and lists begin and end."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine.language.named import node_at
from engine.pipeline.nodes import Entry, Items, Node, Scalar, Table
from engine.pipeline.source import KeyPath, Source


class Extent(msgspec.Struct, frozen=True):
    """An entry of a map: its key and value, from index `start` to `end`."""

    path: KeyPath
    entry: Entry
    start: int
    end: int


def extents(source: Source, path: KeyPath = (), depth: int = 1) -> Iterator[Extent]:
    """The entries of the map at a path in the order of the file; with more depth, of maps in it."""
    node = node_at(source.root, path)
    if not isinstance(node, Table) or depth < 1:
        return
    for name, entry in node.entries.items():
        if node.start.index <= entry.key.start.index <= node.end.index:  # not merged into it
            at = (*path, name)
            yield Extent(at, entry, entry.key.start.index, end_of(source, entry))
            if entry.value.start.index > entry.key.end.index:  # not an alias
                yield from extents(source, at, depth - 1)


def end_of(source: Source, entry: Entry) -> int:
    """The index behind the last character of an entry."""
    whole = source.text.whole
    if entry.value.start.index < entry.key.end.index:  # an alias: the value is written elsewhere
        line = source.text.lines[entry.key.end.line]
        return source.text.starts[entry.key.end.line] + len(line.rstrip())
    return max(entry.key.end.index, _end(whole, entry.value))


def is_flow(whole: str, node: Node) -> bool:
    """Whether a map or list is written in brackets."""
    return not isinstance(node, Scalar) and whole.startswith(("{", "["), node.start.index)


def _end(whole: str, node: Node) -> int:
    """Where a node ends, without the white space that PyYAML counts to it."""
    if isinstance(node, Scalar) or is_flow(whole, node):
        written = whole[node.start.index : node.end.index].rstrip()
        return node.start.index + len(written)
    children = node.items if isinstance(node, Items) else node.children()
    ends = (_end(whole, child) for child in children if child.start.index >= node.start.index)
    return max(ends, default=node.start.index)
