"""The function of a run and its decoder, compiled again when the lines show what is faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec

from engine.expressions.records.known_decimals import KnownDecimals, scalars
from engine.expressions.records.leaves import Layout, cover, without
from engine.expressions.records.program import Generator, Program, Site
from engine.expressions.records.state import UnfusableError
from engine.expressions.scope import Scope
from engine.numbers import decimal_of

MIN_LINES = 10_000
"""Lines after which the share that the first filter drops is known."""

_SCAN_NS = 1.2
_DECIMAL_NS = 200
_VALUE_NS = 40
"""What it takes to skip a byte, and to decode a decimal or another value."""


class Compiled:
    """`program.function` over the records that `decode` makes of lines. Raises UnfusableError.

    A filter that drops many lines gets a record of its own, with only what it reads. The other
    fields are decoded from the lines that pass, if that saves more than it costs to read these
    lines twice. `filter_reads` is empty if the run does not begin with a filter.
    """

    program: Program
    decode: Callable[[bytes], Any]

    def __init__(self, root: Site, scopes: Mapping[str, Scope], sample: Mapping[str, Any]) -> None:
        self._source = root, scopes, sample
        self._lines = self._size = self._dropped = 0
        self._is_judged = False
        collecting = Generator(scopes, sample, splits=True)
        collecting.program(root)
        first, others = collecting.reads_of_filter, collecting.reads
        both = first.joined_with(others)
        layout = Layout(cover(both.paths, both.lists))
        leaves = cover(first.paths, first.lists)
        self.filter_reads = leaves
        self._first = Layout(leaves)
        self._others = Layout(without(cover(others.paths, others.lists), leaves))
        decimals = sum(value.__class__ is Decimal for value in scalars(layout.values(sample)))
        self._known = KnownDecimals(decimals)
        self._float_hook: Callable[[str], Decimal] = self._known.__getitem__
        self._compile(layout)

    def learn(self, lines: int, size: int, dropped: int) -> None:
        """Lines of so many bytes have been processed; the first filter has dropped some."""
        self._lines += lines
        self._size += size
        self._dropped += dropped
        if self._known and not self._known.repeat(self._lines):
            self._known.clear()
            self._float_hook = decimal_of
            self._compile(*self._layouts)
        if self._lines >= MIN_LINES and not self._is_judged:
            self._is_judged = True
            if self._should_split():
                with suppress(UnfusableError):
                    self._compile(self._first, self._others)

    def _should_split(self) -> bool:
        if not self.filter_reads:
            return False
        _, _, sample = self._source
        spared = sum(
            _DECIMAL_NS if value.__class__ is Decimal else _VALUE_NS
            for value in scalars(self._others.values(sample))
        )
        passed = self._lines - self._dropped
        return self._dropped * spared > passed * self._size / self._lines * _SCAN_NS

    def _compile(self, layout: Layout, second: Layout | None = None) -> None:
        decode = None if second is None else self._decoder(second)
        root, scopes, sample = self._source
        self.program = Generator(scopes, sample, layout, second, decode).program(root)
        self.decode = self._decoder(layout)
        self._layouts = layout, second

    def _decoder(self, layout: Layout) -> Callable[[bytes], Any]:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            layout.record, float_hook=self._float_hook
        )
        return decoder.decode
