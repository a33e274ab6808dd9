"""A key more in a map of a file, written as the map is."""

from __future__ import annotations

from collections.abc import Sequence

from engine.hints import Addition
from engine.language.extents import end_of, is_flow
from engine.language.named import node_at
from engine.pipeline.cursor import spot_at
from engine.pipeline.nodes import Scalar, Table
from engine.pipeline.source import KeyPath, Source

Change = tuple[int, int, str]
_INDENT = "  "


def with_key(source: Source, index: int, addition: Addition) -> Sequence[Change] | None:
    """The change that adds a key to the map that is meant, or sets it; None if there is no map."""
    path = _map_at(source, index) if addition.path is None else addition.path
    node = node_at(source.root, path)
    written = f"{addition.key}: {addition.yaml}".rstrip()
    if isinstance(node, Table):
        existing = node.entries.get(addition.key)
        if existing is not None:
            value = existing.value
            return [(value.start.index, value.end.index, addition.yaml)]
        if is_flow(source.text.whole, node):
            return _in_flow(source, node, written)
        return _in_block(source, node, written)
    if isinstance(node, Scalar) and node.value is None and not node.text:
        return _below_key(source, path, written)
    return _new_map(source, path, written) if node is None and len(path) == 1 else None


def _map_at(source: Source, index: int) -> KeyPath:
    """The map at an index: the value of the key there, or the map that a value is in."""
    spot = spot_at(source, index)
    inner = node_at(source.root, spot.path)
    return spot.path if isinstance(inner, Table) or spot.part == "key" else spot.path[:-1]


def _in_flow(source: Source, node: Table, written: str) -> Sequence[Change]:
    """Before the closing bracket."""
    whole = source.text.whole
    end = node.end.index - 1
    end -= len(whole[node.start.index : end]) - len(whole[node.start.index : end].rstrip())
    comma = ", " if node.entries else ""
    return [(end, end, comma + written)]


def _in_block(source: Source, node: Table, written: str) -> Sequence[Change]:
    """On a line of its own behind the last entry."""
    last = max(node.entries.values(), key=lambda entry: entry.key.start.index)
    line = source.text.at_index(end_of(source, last)).line - 1
    indent = " " * node.start.column
    return [_below(source, line, indent + written)]


def _below_key(source: Source, path: KeyPath, written: str) -> Sequence[Change]:
    """As the first entry of a key without a value."""
    where = source.where_key(path)
    indent = " " * (where.column - 1)
    return [_below(source, where.line - 1, indent + _INDENT + written)]


def _new_map(source: Source, path: KeyPath, written: str) -> Sequence[Change] | None:
    """A new key at the top level, before `snaps`."""
    root = source.root
    if not isinstance(root, Table) or is_flow(source.text.whole, root) or not root.entries:
        return None
    before = root.entries.get("snaps") or next(iter(root.entries.values()))
    start = source.text.starts[before.key.start.line]
    line_break = _line_break(source)
    return [(start, start, f"{path[0]}:{line_break}{_INDENT}{written}{line_break}")]


def _below(source: Source, line: int, text: str) -> Change:
    end = source.text.starts[line] + len(source.text.lines[line])
    return end, end, _line_break(source) + text


def _line_break(source: Source) -> str:
    return "\r\n" if "\r\n" in source.text.whole else "\n"
