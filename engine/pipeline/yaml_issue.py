"""One mistake in the YAML of a file: its message, and the repair that lets reading go on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.errors import Problem
from engine.hints import LineChange
from engine.locations import Location

MAX_DEPTH = 100
MEANINGS = {
    "*": "is an alias",
    "&": "is an anchor",
    "!": "is a tag",
    "%": "is a directive",
    "@": "is reserved",
    "`": "is reserved",
    "|": "is a block of lines",
    ">": "is a block of lines",
    "{": "is a map",
    "[": "is a list",
    '"': "ends at the next quote",
    "'": "ends at the next quote",
}


class YamlIssue(msgspec.Struct, frozen=True):
    """A mistake at a line and column, counted from 0.

    `repair` changes the text to what was probably meant; empty if there is no good guess.
    """

    line: int
    column: int
    message: str
    hint: str = ""
    length: int = 1
    repair: Sequence[LineChange] = ()


def too_deep(where: Location) -> Problem:
    """The problem for a value nested deeper than MAX_DEPTH."""
    message = f"values are nested more than {MAX_DEPTH} levels deep"
    return Problem("too-deep", where, message, "reduce the nesting")


def sign_hint(sign: str) -> str:
    """The hint for a value that begins with a YAML indicator."""
    return (
        f"a value that begins with {sign} {MEANINGS[sign]} in YAML; put the whole value in quotes"
    )
