"""The head of a request: what precedes the body, and what is wrong with it."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import msgspec

from engine.request_tags import NO_TAG, RequestTag
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import Headers

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MAX_HEAD_BYTES = 64 * 1024

_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?")
_ONE_LENGTH = "send HTTP/1.1, with one header per line and one body length"


class Head(msgspec.Struct, frozen=True, gc=False):
    """The method, the target and the headers, as text.

    The target is kept as its bytes in Latin-1; `decoded` makes it readable. `query` is what follows
    its question mark. `host` is the name for which the request is, without port; `client` is
    `address:port`, empty if unknown. Behind proxies that are trusted, `client` and `host` are those
    of the caller, and `scheme` is what it speaks; otherwise that is empty. `packed` is the head as
    tasks get it, without (True) or with (False) its token; it is filled when it is needed, and
    shared by requests with the same head.
    """

    method: str
    raw_path: str
    query: str
    headers: Headers
    client: str
    http_version: str = "1.1"
    host: str = ""
    scheme: str = ""
    tag: RequestTag = NO_TAG
    packed: dict[bool, bytes] = msgspec.field(default_factory=dict)

    @property
    def path(self) -> str:
        return decoded(self.raw_path)

    @property
    def is_readable(self) -> bool:
        """Whether the path is UTF-8."""
        path = self.raw_path
        if "%" not in path and path.isascii():
            return True
        try:
            _bytes_of(path).decode()
        except UnicodeDecodeError:
            return False
        return True


class RefusedHeadError(Exception):
    """The head of a request is not accepted, whatever its path is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def read_head(
    method: str,
    url: bytes,
    headers: Headers,
    client: str,
    version: str,
    hosts: list[str],
    tag: RequestTag,
) -> Head:
    """The head; `hosts` are the values of its Host headers. Raises RefusedHeadError."""
    if version not in ("1.1", "1.0"):
        raise _refused(505, "the HTTP version is not supported", version, "send HTTP/1.1")
    if method not in METHODS:
        raise RefusedHeadError(method_not_allowed(method, METHODS))
    authority = None
    if url[:1] == b"/":
        path, _, query = url.partition(b"?")
    elif url == b"*" and method == "OPTIONS":
        path, query = url, b""
    elif found := _ABSOLUTE.fullmatch(url.partition(b"#")[0]):
        authority, path, query = found[1].decode("latin-1"), found[2] or b"/", found[3] or b""
    else:
        raise _refused(400, _NOT_HTTP, "its URL cannot be read", "send a path that begins with '/'")
    if b"#" in url:
        path, query = path.partition(b"#")[0], query.partition(b"#")[0]
    return Head(
        method,
        path.decode("latin-1"),
        query.decode("latin-1"),
        headers,
        client,
        version,
        _host(authority, hosts, version),
        tag=tag,
    )


def _host(authority: str | None, hosts: list[str], version: str) -> str:
    """The name of the host; the target's, which counts more than the header's, if it has one."""
    if authority is None and len(hosts) == 1 and (name := host_name(hosts[0])) is not None:
        return name
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        count = "no Host header" if not hosts else f"{len(hosts)} Host headers"
        raise _refused(400, _NOT_HTTP, f"it has {count}", "send exactly one Host header")
    if authority == "":
        raise _refused(400, _NOT_HTTP, "its URL has no host", "send a path that begins with '/'")
    names = [host_name(given) for given in (*hosts, *([authority] if authority else ()))]
    if None in names:
        given = ", ".join([*hosts, authority or ""])
        why = f"its host {given.removesuffix(', ')!r:.80} is not valid"
        raise _refused(400, _NOT_HTTP, why, "send NAME or NAME:PORT")
    return (names[-1] if names else "") or ""


@lru_cache(1024)
def host_name(given: str) -> str | None:
    """The name without port; None if it is not valid."""
    found = _HOST.fullmatch(given)
    return found[1].lower() if found else None


def method_not_allowed(method: str, allowed: tuple[str, ...]) -> Reply:
    names = ", ".join(allowed)
    return error_reply(
        405,
        "the method is not allowed",
        f"{method:.40} is not one of {names}",
        f"use {allowed[0]}",
        [("allow", names)],
    )


def unreadable(reason: str) -> Reply:
    """The reply to what is not a request."""
    return error_reply(400, _NOT_HTTP, reason, _ONE_LENGTH)


def head_too_large(url: bytes) -> Reply:
    """414 if most of it is the URL, otherwise 431."""
    why = f"it has more than {MAX_HEAD_BYTES:,} bytes"
    if len(url) > MAX_HEAD_BYTES // 2:
        return error_reply(414, "the URL of the request is too long", why, "send a body instead")
    remedy = "send fewer or shorter headers, or a shorter URL; the body may be longer"
    return error_reply(431, "the head of the request is too large", why, remedy)


def decoded(path: str) -> str:
    """A path, or a part of one, percent-decoded; U+FFFD for what is not UTF-8."""
    if "%" not in path and path.isascii():
        return path
    return _bytes_of(path).decode(errors="replace")


def _bytes_of(path: str) -> bytes:
    return unquote_to_bytes(path.encode("latin-1"))


_NOT_HTTP = "the request is not valid HTTP"


def _refused(status: int, error: str, reason: str, resolution: str) -> RefusedHeadError:
    return RefusedHeadError(error_reply(status, error, reason, resolution))
