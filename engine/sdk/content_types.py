"""Parses a `Content-Type`: the media type of a body, and the charset of its text."""

from __future__ import annotations

import re

from engine.charsets import DEFAULT

_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)')


def media_type(content_type: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    kind = media_type(content_type)
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def charset_of(content_type: str, default: str = DEFAULT) -> str:
    """The label of the charset, as written (RFC 9110, 8.3.2)."""
    for name, value in _PARAMETER.findall(content_type):
        if name.lower() == "charset":
            return re.sub(r"\\(.)", r"\1", value.strip().strip("\"'")).strip() or default
    return default
