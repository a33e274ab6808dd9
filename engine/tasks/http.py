"""The HTTP server: uvicorn, made hard against callers that are slow, endless or half gone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SLOWEST_REQUEST_SECONDS = 20.0
"""How long a caller may take to send the head of a request, and again its body ..."""

SLOWEST_RATE = 4096
"""... longer only by a second for so many bytes of the body."""

LONGEST_HEAD = 64 * 1024
KEEP_ALIVE_SECONDS = 75
BACKLOG = 4096


class _Corked:
    """A transport that holds back the head of an answer, so that it leaves with the body.

    A write of its own for each costs the server and the caller a system call and a wake-up more.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1":
            self._head = data
            return
        if data:
            self._transport.write(data)

    def uncork(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        self.uncork()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """A connection that bounds the time and the size of what is read from it."""

    _reading_since: float | None = None
    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast("asyncio.Transport", _Corked(transport)))
        self._reading_since = self.loop.time()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_since = self.loop.time()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reading_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        cast("_Corked", self.transport).uncork()  # the answer had no body
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        since = self._reading_since
        if since is None:
            return
        if not self._in_head:
            self._reading_since = min(self.loop.time(), since + len(data) / SLOWEST_RATE)
            return
        self._head_bytes += len(data)
        if self._head_bytes > LONGEST_HEAD:
            self._refuse(b"431 Request Header Fields Too Large")

    def eof_received(self) -> bool:  # type: ignore[override]
        """The caller has said all, but still listens: let it have its answer first."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        return True

    def end_if_too_slow(self, now: float) -> None:
        """Hang up on a caller that does not get on with its request."""
        since = self._reading_since
        if since is None or self.pipeline or now - since < SLOWEST_REQUEST_SECONDS:
            return
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        self._reading_since = None
        if not self.transport.is_closing():
            head = b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(b"HTTP/1.1 " + status + head)
            self.transport.close()


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


def server_for(application: Callable[..., Any]) -> Server:
    return Server(
        uvicorn.Config(
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
    )


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
