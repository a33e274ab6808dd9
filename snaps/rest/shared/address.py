"""The URL of a request: checked, percent-encoded, and with its query."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from engine.sdk import DataError, Value, shown_url
from snaps.rest.shared.text import as_text

_KEPT = "!#$%&'()*+,/:;=?@[]~"
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def address(url: str, query: Iterable[tuple[str, Value]] = ()) -> str:
    """The URL with the parameters added to the query that it has. Raises DataError.

    What is percent-encoded already stays as it is, so that a signed URL keeps its signature. A list
    gives a parameter several times, null leaves it out.
    """
    url = as_text(url).strip()
    if flaw := flaw_of(url):
        raise DataError(f"{shown_url(url)!r} is no URL for a request", *flaw)
    parts = urlsplit(url)
    added = urlencode(list(_pairs(query)), quote_via=quote, safe="")
    whole = "&".join(part for part in (_encoded(parts.query), added) if part)
    netloc = parts.netloc if parts.netloc.isascii() else _ascii_place(parts.netloc)
    return urlunsplit((parts.scheme, netloc, _encoded(parts.path) or "/", whole, ""))


def flaw_of(url: str) -> tuple[str, str] | None:
    """(what is wrong with it, what to do), if anything."""
    scheme, separator, _ = url.strip().partition("://")
    if not separator:
        return "it does not say how the server is reached", "begin it with http:// or https://"
    if scheme.lower() not in ("http", "https"):
        return f"the scheme {scheme!r} is not one of HTTP", "begin it with http:// or https://"
    try:
        parts = urlsplit(url.strip())
        if not parts.hostname:
            return "it names no host", "write http://host/path"
        _ = parts.port
        _ascii_place(parts.netloc)
    except (ValueError, UnicodeError):
        return (
            "host or port cannot be read",
            "write http://host:port/path; encode special characters of a password (/ as %2F)",
        )
    return None


def _pairs(query: Iterable[tuple[str, Value]]) -> Iterable[tuple[str, str]]:
    for name, value in query:
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is not None:
                yield name, as_text(one)


def _encoded(text: str) -> str:
    return quote(_BARE_PERCENT.sub("%25", text), safe=_KEPT)


def _ascii_place(netloc: str) -> str:
    """`user:password@host:port` with the host as name servers want it, the rest encoded."""
    user, at, place = netloc.rpartition("@")
    host, colon, port = place.rpartition(":") if re.search(r":\d*$", place) else (place, "", "")
    name = host if host.isascii() else host.encode("idna").decode()
    if not name.isprintable() or re.search(r"[\s<>\"%\\^`{|}]", name):
        raise ValueError(name)
    return f"{_encoded(user)}{at}{name}{colon}{port}"
