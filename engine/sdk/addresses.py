"""Addresses of HTTP requests, built in the same way for users' URLs and for redirects.

Percent-encoded characters stay unchanged, because servers sign their addresses byte by byte. Only
characters that are not allowed in a request are encoded. `..` is resolved (RFC 3986, 5.2), and the
fragment, which servers never see, is omitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_A_HOST = re.compile(r"[\s<>\"%\\^`{|}]")
_LEGAL = "!#$%&'()*+,/:;=?@[]~"
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))

_CREDENTIALS_HINT = (
    "write http://host:port/path; encode special characters of a password (/ as %2F)"
)
_SCHEME_HINT = "begin it with http:// or https://"


class AddressError(ValueError):
    """The text is not a valid address for a request."""

    def __init__(self, reason: str, resolution: str) -> None:
        super().__init__(reason, resolution)
        self.reason = reason
        self.resolution = resolution

    def __str__(self) -> str:
        return self.reason


class _Parts(NamedTuple):
    scheme: str
    place: str | None
    path: str
    query: str | None


def address_of(url: str, query: Iterable[tuple[str, str]] = ()) -> str:
    """The URL as it is sent, with the parameters added to its query. Raises AddressError."""
    text = url.strip()
    scheme, separator, _ = text.partition("://")
    if not separator:
        raise AddressError("the scheme is missing", _SCHEME_HINT)
    if scheme.lower() not in ("http", "https"):
        raise AddressError(f"the scheme {scheme!r} is not supported", _SCHEME_HINT)
    parts = _parts(_BARE_PERCENT.sub("%25", text))
    added = urlencode(list(query), quote_via=quote, safe="")
    if added:
        joined = "&".join(part for part in (parts.query, added) if part)
        parts = parts._replace(query=joined)
    return _built(parts, kept=_LEGAL)


def redirect_address(base: str, location: bytes) -> str:
    """The target of a `Location` header relative to an address, with the server's bytes unchanged.

    Raises AddressError.
    """
    there = _parts(location.decode(errors="surrogateescape").strip())
    here = _parts(base)
    if not there.scheme:
        there = there._replace(scheme=here.scheme)
        if there.place is None:
            there = _resolved(here, there)
    if there.scheme.lower() not in ("http", "https"):
        raise AddressError(f"the scheme {there.scheme!r} is not supported", _SCHEME_HINT)
    return _built(there, kept=_VISIBLE)


def _parts(text: str) -> _Parts:
    found = _PARTS.fullmatch(text)
    assert found is not None  # the pattern matches any string
    scheme, place, path, query = found.groups()
    return _Parts(scheme or "", place, path, query)


def _resolved(here: _Parts, there: _Parts) -> _Parts:
    """A reference without a host, resolved against the address."""
    path, query = there.path, there.query
    if not path:
        path, query = here.path, here.query if query is None else query
    elif not path.startswith("/"):
        path = here.path[: here.path.rfind("/") + 1] + path
    return _Parts(here.scheme, here.place, path, query)


def _built(parts: _Parts, kept: str) -> str:
    place = _ascii_place(parts.place or "", kept)
    path = quote(_without_dots(parts.path) or "/", safe=kept, errors="surrogateescape")
    query = (
        "" if parts.query is None else "?" + quote(parts.query, safe=kept, errors="surrogateescape")
    )
    return f"{parts.scheme.lower()}://{place}{path}{query}"


def _without_dots(path: str) -> str:
    """The path without the segments `.` and `..`."""
    if "/." not in path:
        return path
    kept: list[str] = []
    first, *segments = path.split("/")
    for segment in segments:
        if segment == ".." and kept:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join([first, *kept])


def _ascii_place(place: str, kept: str) -> str:
    """`user:password@host:port` with the host in ASCII for name servers, and the rest encoded."""
    user, at, rest = place.rpartition("@")
    host, colon, port = rest.rpartition(":") if re.search(r":\d*$", rest) else (rest, "", "")
    if not host:
        raise AddressError("the host is missing", "write http://host/path")
    try:
        name = host if host.isascii() else _international(host)
        _ = urlsplit(f"//{name}{colon}{port}").port
    except ValueError:  # UnicodeError is one
        name = ""
    if not name or not name.isprintable() or _NOT_IN_A_HOST.search(name):
        raise AddressError("the host or port is invalid", _CREDENTIALS_HINT)
    return f"{quote(user, safe=kept, errors='surrogateescape')}{at}{name}{colon}{port}"


def _international(host: str) -> str:
    import idna  # imported here because most addresses do not need it

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:  # the older standard accepts some names that are still in use
        return host.encode("idna").decode()
