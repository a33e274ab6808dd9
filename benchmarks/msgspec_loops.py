"""Loops over msgspec of cases that make new documents.

Such a case says what it makes as a generator over decoded documents. It gets the type of number to
compute with, so that the same code is measured with floats and with exact decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from benchmarks.case import Loop

Number = Callable[[int], Any]
Shaping = Callable[[Iterable[Any], Number], Iterator[msgspec.Struct]]
"""The documents that a case makes of others, computed with such numbers."""


def loop_over(struct: type[msgspec.Struct], shaping: Shaping) -> Loop:
    """The loop that decodes each line as the struct."""

    def loop(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
        decode = msgspec.json.Decoder(struct).decode
        encode = msgspec.json.Encoder().encode
        for shaped in shaping(map(decode, lines), float):
            write(encode(shaped) + b"\n")

    return loop
