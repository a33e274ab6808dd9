"""Reads and writes values of HTTP headers, for the client as well as for hosted tasks.

A value is UTF-8. Values from other programs that are not UTF-8 are read as ISO-8859-1, which HTTP
once prescribed (RFC 9110, 5.5), so every value is a valid string and can be forwarded.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[\ud800-\udfff]")


class HeaderError(Exception):
    """A string cannot be the value of a header; the message says why."""


def read_header(raw: bytes) -> str:
    """The value, without the blanks around it, which are no part of it."""
    raw = raw.strip(b" \t")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def header_text(text: str) -> str:
    """The header value to send, as UTF-8, for a string.

    Raises HeaderError for control characters, which could end the header, and lone surrogates.
    """
    value = text.strip(" \t")
    if odd := _CONTROL.search(value):
        raise HeaderError(f"it contains {_name(odd[0])} (U+{ord(odd[0]):04X})")
    return value


def _name(character: str) -> str:
    if character in "\r\n":
        return "a line break"
    return "a control character" if character < "\x80" else "half of a surrogate pair"
