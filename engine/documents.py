"""The data that flows through a pipeline: documents, and binary streams in pieces.

A document is an ordered map of JSON-like values that may also hold bytes and date-times. Its
numbers are integers and decimals (engine.numbers). A binary stream crosses a link piece by piece:
`StreamStart`, chunks of bytes, `StreamEnd`. A file of any size therefore needs only the memory of a
few chunks, and bounded channels provide back-pressure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

Value = Any
Document = dict[str, Value]
Header = dict[str, Value]
ViewType = Literal["document", "binary"]

Lineage = frozenset[int]
NO_LINEAGE: Lineage = frozenset()


class RawJson:
    """A value as the JSON text that it came in, for a reader that decodes the text itself.

    Documents hold it only where the plan shows that no snap reads the value: a script's process
    decodes it, a JSON writer writes it, everybody else calls `without_raw_json`. The text is valid
    and its numbers are within the bounds. `canonical`: our JSON writer would write the same text.
    """

    __slots__ = ("canonical", "text")

    def __init__(self, text: bytes, *, canonical: bool = False) -> None:
        self.text = text
        self.canonical = canonical

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawJson) and self.text == other.text

    __hash__ = None  # type: ignore[assignment]  # like the list or map that it usually is

    def __repr__(self) -> str:
        return f"RawJson({self.text!r})"

    def value(self) -> Value:
        return _EXACT_JSON.decode(self.text)


_EXACT_JSON = msgspec.json.Decoder(float_hook=Decimal)


def without_raw_json(value: Value) -> Value:
    """The value with every RawJson in it decoded, at any depth; the same object if it has none."""
    return converted(value, RawJson, RawJson.value) if _has_raw_json(value) else value


def _has_raw_json(value: Value) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if item.__class__ is dict:
            pending += item.values()
        elif item.__class__ is list:
            pending += item
        elif item.__class__ is RawJson:
            return True
    return False


def converted(value: Value, kind: type, convert: Callable[[Any], Value]) -> Value:
    """A copy of the value, of any depth, with the values of that class converted."""
    root = [value]
    pending: list[Any] = [root]
    while pending:
        container = pending.pop()
        items = container.items() if container.__class__ is dict else enumerate(container)
        for key, item in items:
            cls = item.__class__
            if cls is kind:
                container[key] = convert(item)
            elif cls is dict or cls is list:
                container[key] = copy = item.copy()
                pending.append(copy)
            elif cls is StreamStart:
                container[key] = StreamStart(converted(item.header, kind, convert))
    return root[0]


def copied(value: Value) -> Value:
    """A copy that shares no list or map with `value`; all other values are immutable."""
    try:
        if value.__class__ is dict:
            copy = value.copy()
            for key, item in value.items():
                if item.__class__ in _CONTAINERS:
                    copy[key] = copied(item)
            return copy
        if value.__class__ is list:
            return [copied(item) if item.__class__ in _CONTAINERS else item for item in value]
        return value
    except RecursionError:  # few documents are nested so deeply, and this way is slower
        return converted(value, _Nothing, copied)


class _Nothing:
    """No value of a document is one."""


_CONTAINERS = frozenset((dict, list))


class StreamStart(msgspec.Struct, frozen=True):
    """Begins a binary stream; `header` travels with the bytes (`content-location`, ...)."""

    header: Header = msgspec.field(default_factory=dict)


class StreamEnd(msgspec.Struct, frozen=True):
    """Ends a binary stream. `broken`: some of its bytes are missing, so discard all of it."""

    broken: bool = False


Piece = StreamStart | bytes | StreamEnd
Item = Document | Piece


class Batch:
    """A short list of items and, in ultra tasks, a parallel list with the lineage of each.

    Treat both lists as read-only: several snaps may share a batch.
    """

    __slots__ = ("items", "lineage")

    def __init__(self, items: list[Any], lineage: list[Lineage] | None = None) -> None:
        self.items = items
        self.lineage = lineage

    def __len__(self) -> int:
        return len(self.items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Batch):
            return NotImplemented
        return self.items == other.items and self.lineage == other.lineage

    __hash__ = None  # type: ignore[assignment]  # a batch holds lists

    def __repr__(self) -> str:
        return f"Batch({self.items!r}, lineage={self.lineage!r})"

    def at(self, positions: Sequence[int], items: list[Any] | None = None) -> Batch:
        """The items at `positions`, or `items` instead of them, with the lineage of `positions`."""
        chosen = [self.items[i] for i in positions] if items is None else items
        lineage = self.lineage
        return Batch(chosen, None if lineage is None else [lineage[i] for i in positions])

    def with_items(self, items: list[Any]) -> Batch:
        """The same number of other items, each with the lineage of the item that it replaces."""
        return Batch(items, self.lineage)

    def followed_by(self, other: Batch) -> Batch:
        """The items of both, with lineage if either has any."""
        items = self.items + other.items
        if self.lineage is None and other.lineage is None:
            return Batch(items)
        first = self.lineage or [NO_LINEAGE] * len(self)
        return Batch(items, first + (other.lineage or [NO_LINEAGE] * len(other)))

    def complete_lineage(self) -> list[Lineage]:
        """The lineage of the documents, and of the binary streams that end in this batch."""
        lineage = self.lineage
        if lineage is None:
            return []
        if self.items and self.items[0].__class__ is dict:
            return lineage
        pairs = zip(self.items, lineage, strict=True)
        return [line for piece, line in pairs if piece.__class__ is StreamEnd]

    def lineage_of(self, position: int) -> Lineage:
        return NO_LINEAGE if self.lineage is None else self.lineage[position]
