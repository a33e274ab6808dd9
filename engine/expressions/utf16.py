"""Strings as in JavaScript and on the JVM: sequences of UTF-16 units.

Python counts characters: one beyond U+FFFF is a single character in Python but two units there.
The rule that keeps both views equal: **a string never holds two halves of a pair side by side.**
So only the functions of this module join strings; wherever two halves meet, they become one
character again. A lone half may be held and compared, but has no bytes: `utf8` is the way out, and
refuses it.

Plain ASCII takes a shortcut everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.expressions.failures import Failure
from engine.late_regex import late_regex

_ASTRAL = late_regex("[\U00010000-\U0010ffff]")
_PAIR = late_regex("[\ud800-\udbff][\udc00-\udfff]")
_HALF = late_regex("[\ud800-\udfff]")


def units(text: str) -> str:
    """`text` with one character per UTF-16 unit, for counting and cutting; see `joined`."""
    return text if text.isascii() else _ASTRAL.sub(_halves, text)


def _halves(found: re.Match[str]) -> str:
    offset = ord(found[0]) - 0x10000
    return chr(0xD800 + (offset >> 10)) + chr(0xDC00 + (offset & 0x3FF))


def joined(text: str) -> str:
    """The opposite of `units`: halves that lie side by side become one character."""
    return text if text.isascii() else _PAIR.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    pair = found[0]
    return chr(0x10000 + ((ord(pair[0]) - 0xD800) << 10) + ord(pair[1]) - 0xDC00)


def join(parts: Iterable[str], between: str = "") -> str:
    """The parts as one string."""
    return joined(between.join(parts))


def add(left: str, right: str) -> str:
    """`left` and `right` as one string; only the seam is examined."""
    if "\ud800" <= left[-1:] <= "\udbff" and "\udc00" <= right[:1] <= "\udfff":
        return left[:-1] + _PAIR.sub(_character, left[-1] + right[0]) + right[1:]
    return left + right


def length(text: str) -> int:
    """The number of UTF-16 units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def in_order(left: str, right: str) -> tuple[str, str]:
    """Both strings in a form that Python orders as their units."""
    if left.isascii() or right.isascii():
        return left, right
    return units(left), units(right)


def has_half(text: str) -> bool:
    return not text.isascii() and _HALF.search(text) is not None


def encodable(text: str) -> str:
    """`text`; raises Failure if it holds half of a surrogate pair."""
    if not text.isascii() and (half := _HALF.search(text)):
        place, code = length(text[: half.start()]), f"\\u{ord(half[0]):04x}"
        raise Failure(
            f"the string holds half of a surrogate pair ({code}) at position {place}",
            "a character such as an emoji was cut in two; cut before or after it",
        )
    return text


def utf8(text: str) -> bytes:
    """The bytes of `text`; a lone half has no bytes and is refused."""
    return encodable(text).encode()
