"""Java's date patterns (`yyyy-MM-dd'T'HH:mm:ss.SSSZ`), taken apart into literals and fields.

The letters are those of Java's DateTimeFormatter and of Joda; where the two differ, the pattern
decides: with a week (`w`), `Y` and `x` are the year of the week, without one `Y` is the year and
`x` an offset. `date_writing` and `date_reading` know what a field is. Names are English.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import msgspec

from engine.expressions.failures import Failure

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
QUARTERS = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"]
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
DATE_LETTERS = frozenset("GyYuMLdDEecwWFQq")
TIME_LETTERS = frozenset("aHkKhmsSAn")
ZONE_LETTERS = frozenset("zZXxVO")
_MAX_PATTERN = 500
_MAX_COUNT = 20
_MOST = dict.fromkeys("GMLQqEecXxZ", 5) | {"z": 4, "V": 4, "O": 4, "a": 4}


_LEAST_OF_NAME = dict.fromkeys("MLQqec", 3) | dict.fromkeys("EGa", 1)


class Literal(msgspec.Struct, frozen=True):
    text: str


class Field(msgspec.Struct, frozen=True):
    letter: str
    count: int

    @property
    def is_name(self) -> bool:
        """Whether it is written in words: `ee` is a number, `eee` the name of a day."""
        return self.count >= _LEAST_OF_NAME.get(self.letter, _MAX_COUNT + 1)


@functools.lru_cache(maxsize=512)
def pieces(pattern: str) -> tuple[Literal | Field, ...]:
    """The literals and fields of a pattern; raises Failure."""
    if not pattern:
        raise Failure("the date pattern is empty")
    if len(pattern) > _MAX_PATTERN:
        raise Failure(f"the date pattern is longer than {_MAX_PATTERN} characters")
    found: list[Literal | Field] = []
    at = 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            raise Failure(f"the quote in the date pattern `{pattern}` is not closed")
        found.append(_piece(pattern, piece))
        at = piece.end()
    return tuple(_by_week(found))


def _by_week(found: list[Literal | Field]) -> Iterator[Literal | Field]:
    """Resolve `Y` and `x` by whether the pattern has a week; see the module."""
    letters = {piece.letter for piece in found if isinstance(piece, Field)}
    week_year = "" if "w" not in letters else ("Y" if "Y" in letters else "x")
    if week_year == "x" and letters & {"y", "u"}:
        week_year = ""
    for piece in found:
        if isinstance(piece, Field) and piece.letter == week_year:
            yield Field("Y", piece.count)
        elif isinstance(piece, Field) and piece.letter == "Y":
            yield Field("y", piece.count)
        else:
            yield piece


def _piece(pattern: str, piece: re.Match[str]) -> Literal | Field:
    if piece[1] is not None:
        return Literal(piece[1].replace("''", "'") or "'")
    letter = piece[2]
    if letter is None:
        return Literal(piece[0])
    if letter not in DATE_LETTERS | TIME_LETTERS | ZONE_LETTERS:
        hint = f"put plain text in quotes: '{piece[0]}'"
        raise Failure(f"`{letter}` is not a letter of date patterns in `{pattern}`", hint)
    most = _MOST.get(letter, _MAX_COUNT)
    if len(piece[0]) > most:
        shown = piece[0] if len(piece[0]) < 10 else f"{piece[0][:10]}..."
        raise Failure(
            f"`{shown}` has too many letters; a date pattern takes at most {most} of them"
        )
    return Field(letter, len(piece[0]))
