"""Entities of several parts: URL-encoded forms and multipart forms (RFC 7578)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from mimetypes import guess_type
from typing import Literal, NamedTuple
from urllib.parse import quote, quote_plus


class Part(NamedTuple):
    """A field of a multipart form; one with a file name is a file."""

    name: str
    content: bytes
    content_type: str = ""
    filename: str = ""


Spaces = Literal["+", "%20"]


def url_encoded(fields: Iterable[tuple[str, str]], spaces: Spaces = "+") -> bytes:
    """The fields as `application/x-www-form-urlencoded`."""
    encode = quote_plus if spaces == "+" else _percent_encoded
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in fields).encode()


def multipart(parts: Iterable[Part], subtype: str = "form-data") -> tuple[bytes, str]:
    """The body of the parts and its content type, with a boundary that is in none of them."""
    parts = list(parts)
    boundary = secrets.token_hex(16)
    while any(boundary.encode() in part.content for part in parts):
        boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for part in parts:
        lines = [f"--{boundary}", f"Content-Disposition: form-data; {_named(part)}"]
        if kind := part.content_type or (guess_type(part.filename)[0] if part.filename else ""):
            lines.append(f"Content-Type: {kind}")
        elif part.filename:
            lines.append("Content-Type: application/octet-stream")
        pieces += ["\r\n".join(lines).encode(), b"\r\n\r\n", part.content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/{subtype}; boundary={boundary}"


def _named(part: Part) -> str:
    named = f'name="{_quoted(part.name)}"'
    return f'{named}; filename="{_quoted(part.filename)}"' if part.filename else named


def _quoted(text: str) -> str:
    """As browsers escape names: line breaks and quotes cannot end the header."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _percent_encoded(text: str) -> str:
    return quote(text, safe="")
