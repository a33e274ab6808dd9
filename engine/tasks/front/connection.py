"""A connection: uvicorn's, hardened against callers that are slow, send without end or hang up.

A small request to a task that answers without an asyncio task takes a fast path
(engine.tasks.front.small_request).
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import httptools
import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from engine.tasks.front.head import Head, as_text
from engine.tasks.front.small_request import BodyHandler, SmallRequest
from engine.tasks.front.transport import LingeringTransport, PipelineFlowControl

REQUEST_SECONDS = 20.0
"""Seconds to send the head of a request, and again for its body ..."""

MIN_BODY_RATE = 4096
"""... and a second more for each of so many bytes of the body."""

UNREAD_ANSWER_SECONDS = 60.0
"""Seconds for which a caller may read nothing of its response."""

LINGER_SECONDS = 30.0
"""Seconds for a caller that still sends to read the response that ends its connection."""

KEEP_ALIVE_SECONDS = 75.0
"""Seconds that a connection may wait for its next request."""

MAX_PIPELINED = 1000
"""Requests of a connection that may wait for earlier ones to be answered."""

MAX_HEAD_BYTES = 64 * 1024
SMALL_BODY_BYTES = 65_535
"""Largest body on the fast path; uvicorn reads no further unless the body is asked for."""

_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_LATER = "try again later"


class Application(Protocol):
    """An ASGI application that can answer some requests without an asyncio task."""

    def body_handler(self, head: Head) -> BodyHandler | None:
        """The handler for the body of this request; None if it has to go through ASGI."""
        ...

    def record_unread(self, client: str, status: int, size: int) -> None:
        """A request that could not be read was answered with this status and body size."""
        ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Config(uvicorn.Config):
    max_connections = 0


class Connection(HttpToolsProtocol):
    """A connection that limits the time and the size of what it reads."""

    transport: LingeringTransport  # type: ignore[assignment]
    cycle: RequestResponseCycle | SmallRequest | None  # type: ignore[assignment]
    _small_request: SmallRequest | None = None
    """The request on the fast path whose body is arriving."""

    _running: RequestResponseCycle | None = None
    """The request that has an asyncio task."""

    _reading_since: float | None = None
    _idle_since = 0.0
    _in_head = False
    _head_bytes = 0
    """Bytes received since the request, or a piece of its body, began."""

    _came = 0
    _first = 0
    """Bytes of the chunk in which the request began, which may hold more than that."""

    _caller = ""
    _framing = b""
    _skips_head = False
    _refusal: _Refusal | None = None
    _left = 0
    _left_since = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast("Any", LingeringTransport(transport)))
        self.flow = PipelineFlowControl(self.transport, self.pipeline)
        self._reading_since = self.loop.time()
        if self.client is not None:
            self._caller = f"{self.client[0]}:{self.client[1]}"
        if len(self.connections) > cast("Config", self.config).max_connections:
            self._refuse(503, "the server has too many connections", "", _LATER, linger=False)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._running is not None:  # uvicorn notifies the last request only
            self._running.disconnected = True
            self._running.message_event.set()
        self.cycle = self._small_request = self._running = (
            None  # leave no garbage, which is collected rarely
        )
        self.pipeline.clear()

    # From the parser

    def on_message_begin(self) -> None:
        if not self._skips_head:
            self.url, self.headers, self.expect_100_continue = b"", [], False
            self._reading_since = self.loop.time()
            self._in_head, self._head_bytes, self._first = True, 0, self._came

    def on_headers_complete(self) -> None:
        if self._skips_head:
            self._skips_head = False
            return
        may_be_large = self._first + self._head_bytes > MAX_HEAD_BYTES
        if may_be_large and self._head_size() > MAX_HEAD_BYTES:
            raise _HeadTooLargeError
        if self.expect_100_continue and self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # HTTP/1.0 has no 100 Continue
        upgrades = self.parser.should_upgrade()
        if upgrades or not (self._is_simple() and self._offer()):
            self._begin_cycle()
        self._in_head = False
        self.transport.unread = True
        if self.expect_100_continue and self.cycle is not None:
            self.cycle.keep_alive = False  # without a 100, the body may or may not come
        if upgrades:
            self._framing = _framing(self.headers)
        self.headers = []  # trailers after the body are not headers

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        if self._small_request is None:
            super().on_body(body)
        else:
            self._small_request.pieces.append(body)

    def on_message_complete(self) -> None:
        if self._framing:
            return
        self._reading_since = None
        self.transport.unread = False
        request, self._small_request = self._small_request, None
        if request is None:
            super().on_message_complete()
        else:
            request.complete()

    def on_response_complete(self) -> None:
        """Continue: read on, or start the next request that has already arrived."""
        self.server_state.total_requests += 1
        now = self._idle_since = self.loop.time()
        if self._reading_since is not None:
            self._reading_since = now  # the request had to wait for its turn
        if self.transport.lingers:
            self.flow.resume_reading()
        elif self._refusal and all(cycle.more_body for cycle, _ in self.pipeline):
            self._hang_up()
        elif not self.transport.is_closing():
            following = self.pipeline.pop() if self.pipeline else None
            self.flow.resume_reading()
            if following is not None:
                self._start_asgi_task(*following)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    # The fast path

    def _is_simple(self) -> bool:
        """Whether the request is next, and only has to be read and answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        if self.expect_100_continue or self.flow.write_paused:
            return False
        for name, value in self.headers:
            if name == b"content-length":
                if len(value) > len(str(SMALL_BODY_BYTES)) or int(value) > SMALL_BODY_BYTES:
                    return False
            elif name == b"transfer-encoding":
                return False
        return True

    def _offer(self) -> bool:
        """Hand the request to its task, which waits for the body; False if it needs ASGI."""
        target = httptools.parse_url(self.url)
        method = self.parser.get_method().decode("ascii")
        head = Head(
            method,
            target.path.decode("ascii"),
            (target.query or b"").decode("latin-1"),
            as_text(self.headers),
            self._caller,
            self.parser.get_http_version(),
        )
        take = cast("Application", self.config.app).body_handler(head)
        if take is None:
            return False
        keep_alive = head.http_version != "1.0" and self.parser.should_keep_alive()
        self.cycle = self._small_request = SmallRequest(
            self, take, keep_alive, sends_body=method != "HEAD"
        )
        return True

    def _begin_cycle(self) -> None:
        """Take uvicorn's own path, which creates the scope before it knows the headers."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _TooManyWaitingError
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    # From the caller

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self.transport.lingers:
            return
        if self.cycle is not None and self.cycle.response_complete and self._reading_since is None:
            self._reading_since = self.loop.time()  # even if nothing but line breaks arrives
        self._came = len(data)
        self._head_bytes += self._came
        self._feed(data)
        since = self._reading_since
        if since is None:
            return
        if self._head_bytes > MAX_HEAD_BYTES:  # of the head, or of chunk headers and trailers
            self._refuse_head()
        elif not self._in_head:
            self._reading_since = min(self.loop.time(), since + len(data) / MIN_BODY_RATE)

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError as error:
                self._refuse_unparsed(error)
                return

    def _without_upgrade(self, rest: bytes) -> bytes:
        """What is left to parse after a request to switch to another protocol.

        None is supported, so the request continues as if it had not asked. The parser has skipped
        the body; a new one gets a head that says only how long the body is.
        """
        framing, self._framing = self._framing, b""
        if not framing:
            return rest
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._skips_head = True
        return b"POST / HTTP/1.1\r\n" + framing + b"\r\n" + rest

    def eof_received(self) -> bool:  # type: ignore[override]
        """The caller has half-closed, and can still read: send its response first."""
        cycle = self.cycle
        if self.transport.lingers or cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        return True

    # Refusals

    def end_if_too_slow(self, now: float) -> None:
        """Hang up on a caller that is too slow to send its request or to read its response."""
        left = self.transport.get_write_buffer_size()
        if left:
            self._idle_since = now
        if left != self._left or not left:
            self._left, self._left_since = left, now
        elif now - self._left_since >= UNREAD_ANSWER_SECONDS:
            self.transport.abort()
            return
        since = self._reading_since
        if since is None:
            is_idle = self.cycle is not None and self.cycle.response_complete
            if is_idle and now - self._idle_since >= KEEP_ALIVE_SECONDS:
                self.transport.close()
        elif self.transport.lingers:
            if now - since >= LINGER_SECONDS:
                self.transport.abort()
        elif not self.pipeline and now - since >= REQUEST_SECONDS:
            self._end_slow()

    def _end_slow(self) -> None:
        cycle = self.cycle
        is_answered = cycle is None or cycle.response_complete
        self.transport.unread = False
        if is_answered and not self._in_head:
            self.transport.close()  # there is no request
        elif cycle is None or is_answered or cycle.more_body:
            why = f"it was incomplete after {REQUEST_SECONDS:g} seconds"
            remedy = f"send at least {MIN_BODY_RATE:,} bytes a second"
            self._refuse(408, "the request arrived too slowly", why, remedy, linger=False)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse_unparsed(self, error: httptools.HttpParserError) -> None:
        if isinstance(error.__context__, _HeadTooLargeError):
            self._refuse_head()
            return
        if isinstance(error.__context__, _TooManyWaitingError):
            why = f"{MAX_PIPELINED:,} are already waiting"
            self._refuse(503, "too many requests are waiting on this connection", why, _LATER)
            return
        is_ours = isinstance(error, httptools.HttpParserCallbackError)
        why = "its URL cannot be read" if is_ours else str(error)
        remedy = "send HTTP/1.1, with one header per line and one body length"
        self._refuse(400, "the request is not valid HTTP", why, remedy)

    def _refuse_head(self) -> None:
        why = f"it has more than {MAX_HEAD_BYTES:,} bytes"
        remedy = "send fewer or shorter headers, or a shorter URL; the body may be longer"
        self._refuse(431, "the head of the request is too large", why, remedy)

    def _refuse(
        self, status: int, error: str, reason: str, resolution: str, *, linger: bool = True
    ) -> None:
        """Stop reading; respond after the earlier requests were answered, and hang up."""
        self._refusal = _Refusal(status, error, reason, resolution)
        self.transport.unread = linger
        cycle = self.cycle
        if not self.pipeline and (cycle is None or cycle.response_complete or cycle.more_body):
            self._hang_up()

    def _hang_up(self) -> None:
        self._reading_since = self.loop.time()
        refusal = self._refusal
        if refusal is not None and not self.transport.is_closing():
            self.transport.write(refusal.head + refusal.body)
            self.transport.close()
            self.flow.resume_reading()
            application = cast("Application", self.config.app)
            application.record_unread(self._caller, refusal.status, len(refusal.body))


class _HeadTooLargeError(Exception):
    pass


class _TooManyWaitingError(Exception):
    pass


def _framing(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The headers that say where the body ends."""
    names = (b"content-length", b"transfer-encoding")
    return b"".join(b"%b: %b\r\n" % header for header in headers if header[0] in names)


class _Refusal:
    """The response to a request that is not read to its end."""

    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, error: str, reason: str, resolution: str) -> None:
        content = {"error": error, "reason": reason, "resolution": resolution}
        self.status = status
        self.body = msgspec.json.encode(content)
        self.head = (
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(self.body)}\r\nconnection: close\r\n\r\n"
        ).encode()
