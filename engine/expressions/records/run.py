"""Run a block of JSON lines through a generated program, or refuse the block as odd."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from operator import attrgetter
from typing import Any

import msgspec

from engine.expressions.decimals import exact_decimals
from engine.expressions.json_text import json_hook
from engine.expressions.limits import MAX_STEPS, restart
from engine.expressions.records.known_decimals import KnownDecimals, count_decimals
from engine.expressions.records.leaves import Layout, cover
from engine.expressions.records.program import Generator, OddError, Program, Site
from engine.expressions.records.shapes import LineShape, UnknownShapeError
from engine.expressions.records.state import UnfusableError
from engine.expressions.scope import Scope
from engine.numbers import decimal_of, is_finite, may_hide_mistakes

_ENCODER = msgspec.json.Encoder(enc_hook=json_hook, decimal_format="number")

_STEPS = MAX_STEPS // 20
"""Steps of the evaluations in a block, so that their results do not fill the memory."""

_UNCOVERED_BLOCKS = 20
"""Blocks for which only the lines that leave are compared with the shape, after one had others."""


class Records:
    """A compiled run. `process` gives the results of a block of lines and the counts of the Keeps.

    `makes_text`: the results are bytes, otherwise a list of documents.
    """

    def __init__(self, root: Site, scopes: dict[str, Scope], sample: dict[str, Any]) -> None:
        try:
            collecting = Generator(scopes, sample)
            collecting.program(root)
            layout = Layout(cover(collecting.reads, collecting.lists))
            self._program: Program = Generator(scopes, sample, layout).program(root)
        except (RecursionError, MemoryError):
            raise UnfusableError("it is nested too deeply") from None
        self._record = layout.record
        self._lines = 0
        self._known = KnownDecimals(count_decimals(layout.values(sample)))
        self._decode = self._decoder(self._known.__getitem__)
        self.makes_text = self._program.kind != "documents"
        self._uncertain = attrgetter(*self._program.uncertain) if self._program.uncertain else None
        self._is_one = len(self._program.uncertain) == 1
        self._shape: LineShape | None = None
        self._uncovered = 0
        if self._program.kind in ("lines", "extended"):
            if not sample or not self._program.added.isdisjoint(sample):
                raise UnfusableError("a field that is there is written")
            try:
                self._shape = LineShape(sample)
            except (UnknownShapeError, RecursionError, MemoryError):
                raise UnfusableError("the shape of the lines is not known") from None

    def _decoder(self, float_hook: Callable[[str], Decimal]) -> Callable[[bytes], Any]:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            self._record, float_hook=float_hook
        )
        return decoder.decode

    def process(self, block: bytes) -> tuple[Any, int, tuple[int, ...]]:
        """The results, the number of documents in the block, and how many each Keep dropped.

        The block ends in a newline. Raises OddError if it has to be processed the plain way.
        """
        try:
            restart(_STEPS)
            with exact_decimals():
                return self._process(block)
        except OddError:
            raise
        except Exception as error:  # whatever it is: the plain way finds the right words
            raise OddError from error

    def _process(self, block: bytes) -> tuple[Any, int, tuple[int, ...]]:
        lines = BytesIO(block).readlines()
        self._lines += len(lines)
        if self._known and not self._known.repeat(self._lines):
            self._known.clear()
            self._decode = self._decoder(decimal_of)
        if self._shape is not None:
            return self._process_lines(self._shape, lines, block)
        if may_hide_mistakes(block):
            raise OddError
        made, _, *dropped = self._program.function(map(self._decode, lines), lines)
        return self._encoded(made) if self.makes_text else made, len(lines), tuple(dropped)

    def _process_lines(
        self, shape: LineShape, lines: list[bytes], block: bytes
    ) -> tuple[bytes, int, tuple[int, ...]]:
        """Where lines leave as they came. If all have the shape, there is nothing else to check."""
        is_covered = self._covers_all(shape, block)
        if may_hide_mistakes(block, numbers=not is_covered):
            raise OddError
        made, heads, *dropped = self._program.function(map(self._decode, lines), lines)
        passed = heads if self._program.kind == "extended" else made
        if not is_covered and not shape.covers(b"".join(passed)):
            raise OddError
        text = self._extended(heads, made) if passed is heads else b"".join(passed)
        return text, len(lines), tuple(dropped)

    def _covers_all(self, shape: LineShape, block: bytes) -> bool:
        """Whether all lines have the shape; not tried for a while after one had not."""
        if self._uncovered:
            self._uncovered -= 1
            return False
        if shape.covers(block):
            return True
        self._uncovered = _UNCOVERED_BLOCKS
        return False

    def _encoded(self, made: list[Any]) -> bytes:
        text = _ENCODER.encode_lines(made)
        if self._uncertain is not None and b"null" in text:
            for result in made:
                values = self._uncertain(result)
                if not is_finite([values] if self._is_one else values):
                    raise OddError
        return text

    def _extended(self, heads: list[bytes], made: list[Any]) -> bytes:
        """The lines `heads` with the fields of the structs at their ends."""
        encoded = b"\n" + self._encoded(made)
        tails = BytesIO(encoded.replace(b"\n{", b"\n,")).readlines()[1:]
        return b"".join([head[:-2] + tail for head, tail in zip(heads, tails, strict=True)])
