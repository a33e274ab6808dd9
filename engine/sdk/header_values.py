"""Values of HTTP headers: how they are read and written, by the client and by hosted tasks alike.

A value is UTF-8. What other programs send and is not UTF-8 counts as ISO-8859-1, which HTTP once
prescribed (RFC 9110, 5.5), so that each value is a complete text and can be sent on.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[\ud800-\udfff]")


class HeaderError(Exception):
    """A text cannot be the value of a header; the message says why."""


def read_header(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def header_text(text: str) -> str:
    """The value that is sent, as UTF-8, for a text.

    Raises HeaderError for what could end the header, or is not a character.
    """
    value = text.strip(" \t")
    if odd := _CONTROL.search(value):
        raise HeaderError(f"it holds {_name(odd[0])} (U+{ord(odd[0]):04X})")
    return value


def _name(character: str) -> str:
    if character in "\r\n":
        return "a line break"
    return "a control character" if character < "\x80" else "half of a surrogate pair"
