"""Makes characters visible on which a terminal would act.

Documents, scripts and files may contain control sequences that move the cursor, clear the screen
or change the title of the window, and marks that reorder the characters of a line.
"""

from __future__ import annotations

import re
import unicodedata

ACTED_ON = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters on which a terminal acts, except line feed and tab, those that reorder a line, and
halves of surrogate pairs."""


_WITHOUT_WIDTH = "\u200b\u200c\u200d\ufe0e\ufe0f"
"""Joiners, and what makes an emoji of the character before it."""


def visible(text: str) -> str:
    """The text with such characters as escapes; line ends and tabs stay."""
    return text if text.isprintable() else ACTED_ON.sub(_escape, text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """The text on one line, with line ends and tabs as escapes, too."""
    return visible(text).replace("\n", r"\n").replace("\t", r"\t")


def visible_json(text: str) -> str:
    """The same of JSON, with escapes of JSON; it has such characters in strings only."""
    return text if text.isprintable() else ACTED_ON.sub(_json_escape, text)


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: wide characters and emojis take two."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(char: str) -> int:
    if unicodedata.combining(char) or char in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _escape(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


def _json_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
