"""Other text in a value of a file, written so that YAML reads it as meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.hints import Replacement
from engine.language.extents import end_of
from engine.language.named import node_at
from engine.pipeline.cursor import Spot, spot_at
from engine.pipeline.load import compose_text
from engine.pipeline.nodes import Entry, Scalar, Table
from engine.pipeline.origins import origins
from engine.pipeline.source import Source

Change = tuple[int, int, str]


def with_text(
    source: Source, start: int, end: int, fix: Replacement, *, is_last: bool = False
) -> Sequence[Change] | None:
    """The change that puts `new` in place of `old` at the place from index `start` to `end`; None
    if it is not there. With `is_last`, the last `old` of the place is meant."""
    found = _scalar_at(source, start)
    whole = source.text.whole
    places = origins(whole, found[1]) if found else None
    if found is None or places is None:
        return _in_lines(source, start, end, fix)
    spot, scalar = found
    first, last = _offset(places, start), _offset(places, end)
    at = _find(scalar.text, first, last, fix.old, is_last=is_last)
    if at < 0:
        return _in_lines(source, start, end, fix)
    old = fix.old or scalar.text[first:last]
    after = at + len(old)
    value = scalar.text[:at] + fix.new + scalar.text[after:]
    begin = places[at] if at < len(places) else scalar.end.index
    finish = places[after] if after < len(places) else _end_of_text(source, scalar)
    change = begin, finish, _escaped(fix.new, scalar.style)
    if _reads_as(source, change, spot, value):
        return [change]
    quoted = "'{}'".format(value.replace("'", "''"))
    return [(scalar.start.index, scalar.end.index, quoted)] if value.isprintable() else None


def with_value(source: Source, start: int, end: int, yaml: str) -> Sequence[Change] | None:
    """The change that writes this YAML in place of the complete value, or key, at the index."""
    found = _scalar_at(source, start)
    if found is None:
        return [(start, end, yaml)]
    scalar = found[1]
    written = source.text.whole[scalar.start.index : scalar.end.index].rstrip()
    return [(scalar.start.index, scalar.start.index + len(written), yaml)]


def _scalar_at(source: Source, index: int) -> tuple[Spot, Scalar] | None:
    """The key or value that is written at an index."""
    spot = spot_at(source, index)
    node = node_at(source.root, spot.path)
    if spot.part == "key":
        parent = node_at(source.root, spot.path[:-1])
        entry = parent.entries.get(str(spot.path[-1])) if isinstance(parent, Table) else None
        node = entry.key if isinstance(entry, Entry) else None
    if isinstance(node, Scalar) and node.start.index <= index <= node.end.index:
        return spot, node
    return None


def _offset(places: Sequence[int], index: int) -> int:
    """How many characters of a value are written before an index."""
    return next((at for at, place in enumerate(places) if place >= index), len(places))


def _find(text: str, first: int, last: int, old: str, *, is_last: bool) -> int:
    """Where `old` is: at the place, else within it, else anywhere if it is there only once."""
    if is_last and (at := text.rfind(old, first, last)) >= 0:
        return at
    if text.startswith(old, first):
        return first
    if (at := text.find(old, first, last)) >= 0:
        return at
    return text.find(old) if text.count(old) == 1 else -1


def _in_lines(source: Source, start: int, end: int, fix: Replacement) -> Sequence[Change] | None:
    """The change where the file cannot be read: `old` as it stands at the place, or just behind."""
    whole = source.text.whole
    if not fix.old:
        return [(start, end, fix.new)]
    word = re.compile(rf"(?<!\w){re.escape(fix.old)}(?!\w)")
    found = word.search(whole, start, end) or word.search(
        whole, start, _end_of_entry(source, start)
    )
    return [(*found.span(), fix.new)] if found else None


def _end_of_entry(source: Source, index: int) -> int:
    """Where the entry with the key at an index ends, or else the line."""
    spot = spot_at(source, index)
    parent = node_at(source.root, spot.path[:-1])
    if spot.part == "key" and isinstance(parent, Table):
        return end_of(source, parent.entries[str(spot.path[-1])])
    line = source.text.at_index(index).line - 1
    return source.text.starts[line] + len(source.text.lines[line])


def _end_of_text(source: Source, scalar: Scalar) -> int:
    """Where the text of a value ends, before a closing quote."""
    written = source.text.whole[scalar.start.index : scalar.end.index].rstrip()
    return scalar.start.index + len(written) - (scalar.style in ("'", '"'))


def _escaped(text: str, style: str) -> str:
    if style == "'":
        return text.replace("'", "''")
    return text.replace("\\", "\\\\").replace('"', '\\"') if style == '"' else text


def _reads_as(source: Source, change: Change, spot: Spot, value: str) -> bool:
    """Whether the value is this one after the change."""
    start, end, text = change
    whole = source.text.whole
    after, problems = compose_text(whole[:start] + text + whole[end:], source.text.path)
    if len(problems) > len(compose_text(whole, source.text.path)[1]):
        return False  # it may have been repaired
    if spot.part == "key":
        return node_at(after.root, (*spot.path[:-1], value)) is not None
    node = node_at(after.root, spot.path)
    return isinstance(node, Scalar) and node.text == value
