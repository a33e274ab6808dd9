"""The function of a run and its decoder, compiled again when the lines show what is faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec

from engine.expressions.records.known_decimals import KnownDecimals, scalars
from engine.expressions.records.leaves import Layout, Leaf, cover, in_order, unread, without
from engine.expressions.records.program import OF_LINES, Generator, Program, Site
from engine.expressions.records.state import Steps, UnfusableError
from engine.expressions.scope import Scope
from engine.numbers import decimal_of

MIN_LINES = 10_000
"""Lines after which the share that the first filter drops is known."""

_SCAN_NS = 1.2
_CHECK_NS = 1.3
_DECIMAL_NS = 165
_VALUE_NS = 25
"""What it takes to skip a byte of text, to look at it for numbers out of bounds, and to decode a
decimal or another value."""


class Compiled:
    """`program.function` over the records that `decode` and `decode_again` make of lines. Raises
    UnfusableError.

    A filter that drops many lines gets a record of its own, with only what it reads. The other
    fields are decoded from the lines that pass, if that saves more than it costs to read these
    lines twice. `filter_reads` is empty if the run does not begin with a filter.

    Skipped text may hide mistakes, which costs a look at all of the text (`may_hide_mistakes`). If
    it costs less to decode the other fields as well, the record `is_closed`: it holds all fields of
    a line, and refuses lines with others.
    """

    program: Program
    decode: Callable[[bytes], Any]
    decode_again: Callable[[bytes], Any] | None

    def __init__(self, root: Site, scopes: Mapping[str, Scope], sample: Mapping[str, Any]) -> None:
        self._source = root, scopes, sample
        self._lines = self._size = self._dropped = 0
        self._is_judged = False
        collecting = Generator(scopes, sample, splits=True)
        kind = collecting.kind(root)
        first, others = collecting.reads_of_filter, collecting.reads
        both = first.joined_with(others)
        leaves = in_order(cover(both.paths, both.lists), sample)
        self.filter_reads = in_order(cover(first.paths, first.lists), sample)
        behind = without(cover(others.paths, others.lists), self.filter_reads)
        self._open = Layout(leaves)
        self._first = Layout(self.filter_reads)
        self._others = Layout(in_order(behind, sample))
        decimals = sum(value.__class__ is Decimal for value in scalars(self._open.values(sample)))
        self._known = KnownDecimals(decimals)
        self._float_hook: Callable[[str], Decimal] = self._known.__getitem__
        closed = None if kind in OF_LINES else _closed(leaves, sample)
        self._compile(closed or self._open)

    @property
    def is_closed(self) -> bool:
        layout, _ = self._layouts
        return layout.closed

    def open_up(self) -> None:
        """From now on, skip the fields that the sample does not have."""
        self._compile(self._open)

    def learn(self, lines: int, size: int, dropped: int) -> None:
        """Lines of so many bytes have been processed; the first filter has dropped some."""
        self._lines += lines
        self._size += size
        self._dropped += dropped
        if self._known and not self._known.repeat(self._lines):
            self._known.clear()
            self._float_hook = decimal_of
            self._make_decoders()
        if self._lines >= MIN_LINES and not self._is_judged:
            self._is_judged = True
            if self._should_split():
                with suppress(UnfusableError):
                    self._compile(self._first, self._others)

    def _should_split(self) -> bool:
        if not self.filter_reads:
            return False
        _, _, sample = self._source
        spared = _cost(self._others, sample)
        check = 0.0
        if self.is_closed:
            spared = _cost(self._layouts[0], sample) - _cost(self._first, sample)
            check = self._size * _CHECK_NS
        passed = self._lines - self._dropped
        return self._dropped * spared > passed * self._size / self._lines * _SCAN_NS + check

    def _compile(self, layout: Layout, second: Layout | None = None) -> None:
        root, scopes, sample = self._source
        self.program = Generator(scopes, sample, layout, second).program(root)
        self._layouts = layout, second
        self._make_decoders()

    def _make_decoders(self) -> None:
        first, second = self._layouts
        self.decode = self._decoder(first)
        self.decode_again = None if second is None else self._decoder(second)

    def _decoder(self, layout: Layout) -> Callable[[bytes], Any]:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            layout.record, float_hook=self._float_hook
        )
        return decoder.decode


def _closed(leaves: Mapping[Steps, Leaf], sample: Mapping[str, Any]) -> Layout | None:
    """The layout of all fields of the sample, if decoding them costs less than a look at the text
    that would be skipped otherwise."""
    others = unread(leaves, sample)
    if others is None:
        return None
    with suppress(UnfusableError):
        if _cost(Layout(others), sample) < len(str(sample)) * _CHECK_NS:
            return Layout(in_order({**leaves, **others}, sample), closed=True)
    return None


def _cost(layout: Layout, sample: Mapping[str, Any]) -> float:
    """What it takes to decode the values of a record."""
    return sum(map(_value_cost, scalars(layout.values(sample))))


def _value_cost(value: Any) -> int:
    return _DECIMAL_NS if value.__class__ is Decimal else _VALUE_NS
