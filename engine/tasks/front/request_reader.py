"""From the bytes of a connection to the heads and bodies of requests, with httptools' parser."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any, Protocol, cast

import httptools

from engine.request_tags import (
    ID_HEADER,
    PARENT_HEADER,
    STATE_HEADER,
    RequestTag,
    new_tag,
    tag_of,
)
from engine.sdk.header_values import read_header
from engine.tasks.front.head import (
    MAX_HEAD_BYTES,
    Head,
    RefusedHeadError,
    head_too_large,
    read_head,
    unreadable,
)
from engine.tasks.front.known_heads import END, MAX_BYTES, KnownHeads
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import Headers

log = logging.getLogger(__name__)

_FRAMING = ("content-length", "transfer-encoding")
_TAGGING = (ID_HEADER, PARENT_HEADER, STATE_HEADER)
_NOTED = frozenset((*_FRAMING, *_TAGGING, "host", "expect"))
"""Headers that the reader looks at itself."""

_SHORT_NAME = 64
"""Bytes of a header's name that is remembered."""


class Reading(Protocol):
    """Gets what the reader has read."""

    takes_no_more: bool
    """Whether the last request of the connection has been read."""

    def head_begins(self) -> None: ...
    def head_complete(self, head: Head, length: int, *, keep_alive: bool, expects: bool) -> None:
        """`length` is that of the body as announced, 0 if it is not; `expects`: the caller waits
        for 100 Continue before it sends one. May raise RefusedHeadError."""
        ...

    def body_piece(self, piece: bytes) -> None: ...
    def body_complete(self) -> None: ...
    def refuse(self, reply: Reply) -> None:
        """What has arrived cannot be read; nothing more will be."""
        ...


class RequestReader:
    """`in_head`: a head has begun and is not complete. `sends_body`: its response has a body."""

    def __init__(self, reading: Reading, known_heads: KnownHeads) -> None:
        self.in_head = False
        self.sends_body = True
        self._reading = reading
        self._known_heads = known_heads
        self._parser = httptools.HttpRequestParser(self)
        self._is_between = True
        """Whether the parser has read nothing of the next request."""

        self._text = b""
        """The beginning of the request, up to what is perhaps the end of its head."""

        self._client = ""
        self._url = b""
        self._headers: Headers = []
        self._hosts: list[str] = []
        self._framing: list[tuple[str, bytes]] = []
        self._tagging: list[tuple[str, str]] | None = None
        self._expects = b""
        self._upgrades = False
        self._skips_head = False
        self._came = 0
        """Bytes since the head began, or since the last piece of the body."""

        self._fed = self._first = 0
        """Bytes of the last chunk, and of that in which the head began, which may hold more."""

    def close(self) -> None:
        """Leave no garbage, which is collected rarely."""
        self._reading = self._parser = cast("Any", None)

    def feed(self, data: bytes, client: str, *, in_body: bool) -> None:
        self._client = client
        if self._is_between and self._read_known(data):
            return
        self._fed = len(data)
        self._came += self._fed
        while data and self._parser is not None and not self._reading.takes_no_more:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError as error:
                if not self._reading.takes_no_more:
                    is_ours = isinstance(error, httptools.HttpParserCallbackError)
                    reason = error.__context__ if is_ours else None
                    self._reading.refuse(_refusal(reason or error))
                return
        if self._came > MAX_HEAD_BYTES and (self.in_head or in_body):
            self._reading.refuse(head_too_large(self._url))  # or chunk headers without end

    def _read_known(self, data: bytes) -> bool:
        """Read a complete request whose head has been read before; False if it is not one."""
        end = data.find(END, 0, MAX_BYTES)
        if end < 0:
            self._text = b""
            return False
        end += len(END)
        text = self._text = data[:end]
        known = self._known_heads.find(text)
        if known is None or len(data) != end + known.length:
            return False
        reading = self._reading
        self.sends_body = known.head.method != "HEAD"
        try:
            head = known.of(self._client, new_tag())
            reading.head_complete(head, known.length, keep_alive=True, expects=False)
            if known.length:
                reading.body_piece(data[end:])
            reading.body_complete()
        except Exception as error:  # noqa: BLE001  # as if the parser had called
            if not reading.takes_no_more:
                reading.refuse(_refusal(error))
        return True

    def _without_upgrade(self, rest: bytes) -> bytes:
        """What is left to parse after a request to switch to another protocol.

        None is supported, so the request continues as if it had not asked. The parser has skipped
        the body; a new one gets a head that says only how long the body is.
        """
        self._upgrades = False
        framing = b"".join(
            b"%b: %b\r\n" % (name.encode("latin-1"), value) for name, value in self._framing
        )
        self._parser = httptools.HttpRequestParser(self)
        self._skips_head = True
        return b"POST / HTTP/1.1\r\n" + framing + b"\r\n" + rest

    # From the parser

    def on_message_begin(self) -> None:
        self._is_between = False
        if self._skips_head:
            return
        self._url, self._headers, self._hosts = b"", [], []
        self._framing, self._expects, self.sends_body = [], b"", True
        self._tagging = None
        self.in_head, self._first, self._came = True, self._fed, 0
        self._reading.head_begins()

    def on_url(self, url: bytes) -> None:
        if not self._skips_head:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.in_head:
            return  # trailers after the body are not headers
        lower, is_noted = _known(name) if len(name) <= _SHORT_NAME else _read(name)
        text = read_header(value)
        self._headers.append((lower, text))
        if is_noted:
            self._note(lower, value, text)

    def _note(self, name: str, value: bytes, text: str) -> None:
        if name == "host":
            self._hosts.append(text)
        elif name in _FRAMING:
            self._framing.append((name, value))
        elif name == "expect":
            self._expects = value.strip().lower()
        elif self._tagging is None:
            self._tagging = [(name, text)]
        else:
            self._tagging.append((name, text))

    def on_headers_complete(self) -> None:
        if self._skips_head:
            self._skips_head = False
            return
        if self._reading.takes_no_more:
            raise _NoMoreError
        parser, headers = self._parser, self._headers
        method, version = parser.get_method().decode("latin-1"), parser.get_http_version()
        self.sends_body = method != "HEAD"
        if self._first + self._came > MAX_HEAD_BYTES and self._head_size() > MAX_HEAD_BYTES:
            raise RefusedHeadError(head_too_large(self._url))
        head = read_head(method, self._url, headers, self._client, version, self._hosts, self.tag())
        length, has_body = self._body_length()
        if self._expects not in (b"", b"100-continue"):
            why = "the header Expect may only be 100-continue"
            raise RefusedHeadError(error_reply(417, "the expectation cannot be met", why))
        self._upgrades = parser.should_upgrade()
        self.in_head, self._headers = False, []
        keep_alive = version == "1.1" and parser.should_keep_alive()
        is_plain = has_body is (length > 0) and not (self._tagging or self._expects)
        if self._text and is_plain and keep_alive and not self._upgrades:
            self._known_heads.remember(self._text, head, length)
        self._text = b""
        self._reading.head_complete(
            head,
            length,
            keep_alive=keep_alive,
            expects=has_body and self._expects != b"" and version == "1.1",
        )

    def tag(self) -> RequestTag:
        """The tag of the request whose head has been read, as far as it has come."""
        if self._tagging is None:
            return new_tag()
        return tag_of(
            *([text for name, text in self._tagging if name == each] for each in _TAGGING)
        )

    def _head_size(self) -> int:
        return len(self._url) + sum([len(name) + len(value) + 4 for name, value in self._headers])

    def _body_length(self) -> tuple[int, bool]:
        """The announced length of the body, and whether there is one."""
        length, is_chunked = 0, False
        for name, value in self._framing:
            if name == "content-length":
                length = int(value)
                continue
            is_chunked = value.strip().lower() == b"chunked"
            if not is_chunked:
                why = f"it is {value.decode('latin-1')!r:.60}, but only 'chunked' is supported"
                error = "the transfer encoding is not supported"
                raise RefusedHeadError(error_reply(501, error, why, "send the body plain"))
        return length, is_chunked or length > 0

    def on_body(self, piece: bytes) -> None:
        self._came = 0
        self._reading.body_piece(piece)

    def on_message_complete(self) -> None:
        self._tagging = None
        self._is_between = True
        if not self._upgrades:
            self._reading.body_complete()


def _read(name: bytes) -> tuple[str, bool]:
    """The name of a header in lower case, and whether the reader looks at it."""
    lower = name.lower().decode("latin-1")
    return lower, lower in _NOTED


_known = lru_cache(256)(_read)


class _NoMoreError(Exception):
    """Another request after the last one of the connection."""


def _refusal(error: BaseException) -> Reply:
    if isinstance(error, RefusedHeadError):
        return error.reply
    if isinstance(error, httptools.HttpParserError):
        return unreadable(str(error))
    log.error("a request could not be read", exc_info=error)
    return error_reply(500, "internal server error", "", "see the server's log")
