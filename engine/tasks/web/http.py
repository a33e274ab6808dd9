"""The HTTP server: uvicorn, made hard against callers that are slow, endless or half gone."""

from __future__ import annotations

import contextlib
import resource
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, cast

import httptools
import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from engine.tasks.web.transport import LingeringTransport

SLOWEST_REQUEST_SECONDS = 20.0
"""How long a caller may take to send the head of a request, and again its body ..."""

SLOWEST_RATE = 4096
"""... longer only by a second for so many bytes of the body."""

SLOWEST_READER_SECONDS = 60.0
"""How long a caller may take nothing of its answer."""

LONGEST_LINGER = 30.0
"""Seconds for which a caller that still sends may read the answer that ended its connection."""

LONGEST_HEAD = 64 * 1024
SMALL = 65_535
"""Bytes of a body that is waited for; uvicorn reads on only so far before the body is asked for."""

KEEP_ALIVE_SECONDS = 75
BACKLOG = 4096

_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_LATER = "Call again later."

_SPARE_FILES = 512
"""Open files that are left to the processes of the tasks, and to what else the server opens."""


RawHeaders = Sequence[tuple[bytes, bytes]]
Respond = Callable[[int, RawHeaders, bytes], None]
"""Sends status, headers and the whole body. Called once."""


class Application(Protocol):
    """An ASGI application that can answer some requests without a task for each."""

    def take(self, scope: dict[str, Any], body: bytes, respond: Respond) -> bool:
        """Answer the request, now or later; False if it has to come by way of ASGI."""
        ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Connection(HttpToolsProtocol):
    """A connection that bounds the time and the size of what is read from it.

    A request that is small and here as a whole is offered to the application without the detour of
    ASGI: no task is made for it, and its answer leaves with one write.
    """

    _awaited: RequestResponseCycle | None = None
    _is_next = False
    """A request that has waited for its turn gets a task: else thousands of answers would nest."""

    transport: LingeringTransport  # type: ignore[assignment]
    _reading_since: float | None = None
    _in_head = True
    _head_bytes = 0
    """What has come since the request, or a piece of its body, began."""

    _came = 0
    _first = 0
    """What came at once with its beginning, and may be more than that."""

    _framing = b""
    _skips_head = False
    _refusal: bytes | None = None
    _left = 0
    _left_since = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast("Any", LingeringTransport(transport)))
        self._reading_since = self.loop.time()
        if len(self.connections) > cast("_Config", self.config).most_connections:
            self._refuse(503, "the server has too many connections", "", _LATER, linger=False)

    # What the parser finds

    def on_message_begin(self) -> None:
        if not self._skips_head:
            super().on_message_begin()
            self._reading_since = self.loop.time()
            self._in_head, self._head_bytes, self._first = True, 0, self._came

    def on_headers_complete(self) -> None:
        if self._skips_head:
            self._skips_head = False
            return
        may_be_large = self._first + self._head_bytes > LONGEST_HEAD
        if may_be_large and self._head_size() > LONGEST_HEAD:
            raise _HeadTooLargeError
        super().on_headers_complete()
        self._in_head = False
        self.transport.unread = True
        if self.expect_100_continue:
            self.cycle.keep_alive = False  # who is not told to go on may or may not send the body
        if self.parser.should_upgrade():
            self._framing = _framing(self.headers)
        self.headers = []  # a field after the body is none of the head

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._framing:
            return
        self._reading_since = None
        self.transport.unread = False
        super().on_message_complete()
        cycle, self._awaited = self._awaited, None
        if cycle is not None:
            self._begin(cycle)

    def on_response_complete(self) -> None:
        if self._reading_since is not None:
            self._reading_since = self.loop.time()  # it had to wait for its turn
        if self.transport.lingers:
            self.flow.resume_reading()
        elif self._refusal and all(cycle.more_body for cycle, _ in self.pipeline):
            self._hang_up()
        else:
            self._is_next = True
            super().on_response_complete()
            self._is_next = False

    # What comes

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self.transport.lingers:
            return
        self._unset_keepalive_if_required()
        self._came = len(data)
        self._head_bytes += self._came
        self._feed(data)
        since = self._reading_since
        if since is None:
            if self.cycle is None or self.cycle.response_complete:
                self._reading_since = self.loop.time()  # line breaks only: no request, no timer
        elif self._head_bytes > LONGEST_HEAD:  # of the head, or of what is beside the body
            self._refuse_head()
        elif not self._in_head:
            self._reading_since = min(self.loop.time(), since + len(data) / SLOWEST_RATE)

    def _feed(self, data: bytes) -> None:
        try:
            while data:
                data = self._parse(data)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _HeadTooLargeError):
                self._refuse_head()
            else:
                is_ours = isinstance(error, httptools.HttpParserCallbackError)
                why = "its URL cannot be read" if is_ours else str(error)
                remedy = "Send HTTP/1.1: one header a line, and one length of the body."
                self._refuse(400, "the request is not HTTP", why, remedy)

    def _parse(self, data: bytes) -> bytes:
        """What is left to parse, where a caller would like to speak another protocol.

        None is spoken here, so the request goes on as it would without the wish. The parser has
        skipped the body; a new one gets a head that says only how long it is.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest: bytes = data[upgrade.args[0] :]
            framing, self._framing = self._framing, b""
            if not framing:
                return rest
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self._skips_head = True
            return b"POST / HTTP/1.1\r\n" + framing + b"\r\n" + rest
        return b""

    def eof_received(self) -> bool:  # type: ignore[override]
        """The caller has said all, but still listens: let it have its answer first."""
        cycle = self.cycle
        if self.transport.lingers or cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        return True

    # What needs no task

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._is_next or app is not self.app or not self._is_simple(cycle):
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._awaited = cycle
        else:
            self._begin(cycle)

    def _is_simple(self, cycle: RequestResponseCycle) -> bool:
        """Whether it needs nothing but to be read and answered."""
        if cycle.waiting_for_100_continue or self.flow.write_paused or self.parser.should_upgrade():
            return False
        for name, value in cycle.scope["headers"]:
            if name == b"transfer-encoding":
                return False
            if name == b"content-length" and (len(value) > 5 or int(value) > SMALL):
                return False
        return True

    def _begin(self, cycle: RequestResponseCycle) -> None:
        application = cast("Application", self.config.app)
        scope = cast("dict[str, Any]", cycle.scope)
        if not application.take(scope, bytes(cycle.body), partial(self._respond, cycle)):
            super()._start_asgi_task(cycle, self.app)

    def _respond(
        self, cycle: RequestResponseCycle, status: int, headers: RawHeaders, body: bytes
    ) -> None:
        """Send an answer whose headers are known to be sound, and be done with the request."""
        if cycle.disconnected or self.transport.is_closing():
            return
        parts = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        if cycle.scope["method"] != "HEAD":
            parts.append(body)
        self.transport.write(b"".join(parts))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    # What is refused

    def end_if_too_slow(self, now: float) -> None:
        """Hang up on a caller that does not get on with its request, or with its answer."""
        left = self.transport.get_write_buffer_size()
        if left != self._left or not left:
            self._left, self._left_since = left, now
        elif now - self._left_since >= SLOWEST_READER_SECONDS:
            self.transport.abort()
            return
        since = self._reading_since
        if since is None:
            return
        if self.transport.lingers:
            if now - since >= LONGEST_LINGER:
                self.transport.abort()
        elif not self.pipeline and now - since >= SLOWEST_REQUEST_SECONDS:
            self._end_slow()

    def _end_slow(self) -> None:
        cycle = self.cycle
        is_answered = cycle is None or cycle.response_complete
        self.transport.unread = False
        if self.scope is None or (is_answered and not self._in_head):
            self.transport.close()  # nothing has been asked
        elif is_answered or cycle.more_body:
            why = f"it was not complete after {SLOWEST_REQUEST_SECONDS:g} seconds"
            remedy = f"Send at least {SLOWEST_RATE:,} bytes a second."
            self._refuse(408, "the request came too slowly", why, remedy, linger=False)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse_head(self) -> None:
        why = f"it has more than {LONGEST_HEAD:,} bytes"
        remedy = "Send fewer and shorter headers and a shorter URL; the body may be long."
        self._refuse(431, "the head of the request is too large", why, remedy)

    def _refuse(
        self, status: int, error: str, reason: str, resolution: str, *, linger: bool = True
    ) -> None:
        """Read no more; answer so after all that was asked before, and hang up."""
        self._refusal = _refusal(status, error, reason, resolution)
        self.transport.unread = linger
        cycle = self.cycle
        if not self.pipeline and (cycle is None or cycle.response_complete or cycle.more_body):
            self._hang_up()

    def _hang_up(self) -> None:
        self._reading_since = self.loop.time()
        if not self.transport.is_closing():
            self.transport.write(self._refusal or b"")
            self.transport.close()
            self.flow.resume_reading()


class _HeadTooLargeError(Exception):
    pass


def _framing(headers: list[tuple[bytes, bytes]]) -> bytes:
    """What says where the body ends."""
    names = (b"content-length", b"transfer-encoding")
    return b"".join(b"%b: %b\r\n" % header for header in headers if header[0] in names)


def _refusal(status: int, error: str, reason: str, resolution: str) -> bytes:
    body = msgspec.json.encode({"error": error, "reason": reason, "resolution": resolution})
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


class Server(uvicorn.Server):
    """Serves an application until `should_exit` is set. Signals are the caller's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.end_if_too_slow(connection.loop.time())
        return await super().on_tick(counter)


class _Config(uvicorn.Config):
    most_connections = 0


def server_for(application: Application) -> Server:
    """A server of the application. It lets this process open as many files as it may."""
    config = _Config(
        application,
        http=Connection,
        loop="none",  # the caller runs one
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.most_connections = _most_connections()
    return Server(config)


def _most_connections() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # some systems allow less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(soft - _SPARE_FILES, soft // 2) if soft != resource.RLIM_INFINITY else sys.maxsize


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at the address; port 0 takes a free one. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
