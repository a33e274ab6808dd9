"""One mistake in the YAML of a file, as it is told and as it may be repaired."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.pipeline.repairs import Change


class Mistake(msgspec.Struct, frozen=True):
    """A mistake at a line and column, counted from 0.

    `repair` changes the text to what was most probably meant; empty if that cannot be said.
    """

    line: int
    column: int
    message: str
    hint: str = ""
    length: int = 1
    repair: Sequence[Change] = ()
