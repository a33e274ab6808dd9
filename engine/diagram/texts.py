"""How much room texts need: in pixels of a sans-serif font, or in the cells of a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from engine.visible import visible_line

Measure = Callable[[str], int]

_WIDE = 1000
_USUAL = 560


class _Widths(dict[str, int]):
    """Widths of characters; of those that are not listed, by the cells that they take."""

    def __missing__(self, character: str) -> int:
        taken = cells(character)
        self[character] = _WIDE if taken == 2 else taken * _USUAL
        return self[character]


_WIDTHS = _Widths(
    {
        **dict.fromkeys("ijl'|", 222),
        **dict.fromkeys(" !,./:;[\\]tIf", 278),
        **dict.fromkeys("-()r`{}", 333),
        **dict.fromkeys('"', 355),
        **dict.fromkeys("*", 389),
        **dict.fromkeys("ckJsvxyz", 500),
        **dict.fromkeys("L#$0123456789_?abdeghnopqu", 556),
        **dict.fromkeys("+<=>~FTZ", 600),
        **dict.fromkeys("&ABEKPSVXY", 667),
        **dict.fromkeys("CDHNRUw", 722),
        **dict.fromkeys("GOQ", 778),
        **dict.fromkeys("Mm", 833),
        **dict.fromkeys("%→", 889),
        **dict.fromkeys("W@…", 1000),
    }
)
"""Widths in thousandths of the font's size: those of Helvetica, Arial and Liberation Sans."""


def pixels(size: int, *, bold: bool = False) -> Measure:
    """Measures texts in a font of a size, with a little room to spare."""
    scale = size * (1.1 if bold else 1.03) / 1000

    def measure(text: str) -> int:
        return int(sum(map(_WIDTHS.__getitem__, text)) * scale) + 1

    return measure


def cells(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("F", "W") else 1


def shortened(text: str, measure: Measure, room: int) -> str:
    """The text on one line, cut with `…` if it needs more room."""
    text = visible_line(" ".join(text.split()))
    if measure(text) <= room:
        return text
    while text and measure(f"{text}…") > room:
        text = text[:-1]
    return f"{text.rstrip()}…"
