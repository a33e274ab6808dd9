"""Run a block of JSON lines through a generated program, or refuse the block as odd."""

from __future__ import annotations

from io import BytesIO
from operator import attrgetter
from typing import Any

import msgspec

from engine.expressions.decimals import exact_decimals
from engine.expressions.json_text import json_hook
from engine.expressions.limits import MAX_STEPS, restart
from engine.expressions.records.compiled import Compiled
from engine.expressions.records.program import OddError, Site
from engine.expressions.records.shapes import LineShape, UnknownShapeError
from engine.expressions.records.state import UnfusableError
from engine.expressions.scope import Scope
from engine.numbers import is_finite, may_hide_mistakes

_ENCODER = msgspec.json.Encoder(enc_hook=json_hook, decimal_format="number")

_UNKNOWN_FIELD = "Object contains unknown field"
"""How msgspec begins to refuse a document with a field that its struct lacks."""

_STEPS = MAX_STEPS // 20
"""Steps of the evaluations in a block, so that their results do not fill the memory."""


class Records:
    """A compiled run. `process` gives the results of a block of lines and the counts of the Keeps.

    `makes_text`: the results are bytes, otherwise a list of documents.
    """

    def __init__(self, root: Site, scopes: dict[str, Scope], sample: dict[str, Any]) -> None:
        try:
            self._compiled = Compiled(root, scopes, sample)
        except (RecursionError, MemoryError):
            raise UnfusableError("it is nested too deeply") from None
        program = self._compiled.program
        self.makes_text = program.kind != "documents"
        self._uncertain = attrgetter(*program.uncertain) if program.uncertain else None
        self._is_one = len(program.uncertain) == 1
        self._shape: LineShape | None = None
        if program.kind in ("lines", "extended"):
            if not sample or not program.added.isdisjoint(sample):
                raise UnfusableError("a field that is there is written")
            try:
                self._shape = LineShape(sample)
            except (UnknownShapeError, RecursionError, MemoryError):
                raise UnfusableError("the shape of the lines is not known") from None

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
        compiled = self._compiled
        if may_hide_mistakes(block, numbers=self._shape is None and not compiled.is_closed):
            raise OddError
        lines = BytesIO(block).readlines()
        records = map(compiled.decode, lines)
        try:
            made, heads, dropped, *counts = compiled.program.function(
                records, lines, compiled.decode_again
            )
        except msgspec.ValidationError as error:
            if compiled.is_closed and str(error).startswith(_UNKNOWN_FIELD):
                compiled.open_up()
                return self._process(block)
            raise
        compiled.learn(len(lines), len(block), counts[0] if counts else 0)
        if self._shape is not None:
            made = self._text(self._shape, made, heads, dropped)
        elif self.makes_text:
            made = self._encoded(made)
        return made, len(lines), tuple(counts)

    def _text(
        self, shape: LineShape, made: list[Any], heads: list[bytes], dropped: list[bytes]
    ) -> bytes:
        """The lines that leave as they came, perhaps with further fields.

        They have the shape; in those that were dropped, only numbers may hide a mistake.
        """
        extends = self._compiled.program.kind == "extended"
        text = b"".join(heads if extends else made)
        if not shape.covers(text) or (dropped and may_hide_mistakes(b"".join(dropped))):
            raise OddError
        return self._extended(heads, made) if extends else text

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
