"""Makes characters visible on which a terminal would act.

Documents, scripts and files may contain control sequences that move the cursor, clear the screen
or change the title of the window, and marks that reorder the characters of a line.
"""

from __future__ import annotations

import re

ACTED_ON = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters on which a terminal acts, except line feed and tab, those that reorder a line, and
halves of surrogate pairs."""


def visible(text: str) -> str:
    """The text with such characters as escapes; line ends and tabs stay."""
    return text if text.isprintable() else ACTED_ON.sub(_escape, text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """The text on one line, with line ends and tabs as escapes, too."""
    return visible(text).replace("\n", r"\n").replace("\t", r"\t")


def visible_json(text: str) -> str:
    """The same of JSON, with escapes of JSON; it has such characters in strings only."""
    return text if text.isprintable() else ACTED_ON.sub(_json_escape, text)


def _escape(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


def _json_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
