"""The HTTP server: it accepts connections on an open socket, and watches them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
import sys
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import Any

from engine.tasks.front.calls import Application
from engine.tasks.front.connection import Connection
from engine.tasks.front.outgoing import Outgoing
from engine.tasks.front.peers import has_hung_up, is_readable

log = logging.getLogger(__name__)

BACKLOG = 4096
MAX_INCOMING_BYTES = 512 * 1024 * 1024
"""Bytes of incomplete bodies, over all callers."""

MAX_UNSENT_BYTES = 64 * 1024 * 1024
"""Bytes of responses that callers have not read: beyond that, the server takes no more of them from
its processes, and cuts off callers that read nothing."""

STALLED_SECONDS = 1.0
"""Seconds without reading that count as stalled then."""

HANDSHAKE_SECONDS = 20.0
"""Seconds for the handshake of TLS."""

SHUTDOWN_SECONDS = 3600.0
"""Seconds for a caller of TLS to read the end of its response; one that stalls is cut off earlier,
by its connection."""

TICK_SECONDS = 0.25
CLOSE_SECONDS = 1.0
"""Seconds for an idle connection to send another request, once the server is draining; and, once it
accepts no more, for requests that have begun to arrive."""

_GONE_SECONDS = 0.01
"""Seconds after which a caller that has hung up, and not only half-closed, is known."""

_SPARE_FILES = 512
"""Open files that are reserved for the task processes and everything else."""


class HttpServer:
    """Serves an application. `draining`: every connection ends with its next response."""

    def __init__(self, application: Application, max_connections: int | None = None) -> None:
        """Raises the limit of open files as far as allowed."""
        self.application = application
        self.connections: set[Connection] = set()
        self.draining = False
        self.date = b""
        self.max_connections = _max_connections() if max_connections is None else max_connections
        self.max_incoming = MAX_INCOMING_BYTES
        self.max_unsent = MAX_UNSENT_BYTES
        self.on_pressure: Callable[[bool], None] = lambda full: None
        """Called when callers leave too much unread, and when they have read it."""

        self._is_full = False

        self.held = 0
        """Bytes of bodies that are arriving."""

        self._unsent: set[Outgoing] = set()
        self._half_closed: set[Connection] = set()
        self.paused: set[Connection] = set()
        """Connections that are not read because requests wait for earlier ones."""

        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self._server: asyncio.Server | None = None
        self._listener: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None
        self._clock: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self._set_date()
        self._listener, self._tls = listener, tls
        options: dict[str, Any] = {"sock": listener, "ssl": tls, "backlog": BACKLOG}
        if tls is not None:
            options["ssl_handshake_timeout"] = HANDSHAKE_SECONDS
            options["ssl_shutdown_timeout"] = SHUTDOWN_SECONDS
        if listener.family == socket.AF_UNIX:
            self._server = await self._loop.create_unix_server(self._connection, **options)
        else:
            self._server = await self._loop.create_server(self._connection, **options)
        self._clock = asyncio.create_task(self._tick(), name="http clock")

    async def drain(self, patience: float = CLOSE_SECONDS, delay: float | None = None) -> None:
        """Accept no more connections, close those that stay idle, and let begun requests arrive.

        Callers are served, each for the last time, for `delay` seconds before that; if it is None,
        only until no connection is idle, and no longer than `patience`.
        """
        self.draining = True
        if delay is None:
            await self._until(lambda: not any(each.is_idle for each in self.connections), patience)
        else:
            await asyncio.sleep(delay)
        await self._accept_last()
        await self._until(lambda: self._none_arrives(self.now() - patience), patience)
        self._none_arrives(self.now())

    def stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()

    async def closed(self, patience: float) -> None:
        """Wait for the responses to be sent, then cut the connections that are left."""
        await self._until(lambda: not self.connections, patience)
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        if self._clock is not None:
            self._clock.cancel()

    async def _accept_last(self) -> None:
        """Stop listening. Those that have connected are accepted: closing would reset them."""
        if self._listener is None:
            return
        accepted: list[socket.socket] = []
        with self._listener.dup() as last:  # keeps it open when the loop has stopped
            self.stop_listening()
            await asyncio.sleep(0)
            with contextlib.suppress(OSError):  # nobody waits any more
                while len(accepted) < BACKLOG:
                    accepted.append(last.accept()[0])
        for each in accepted:
            each.setblocking(False)
        connect = partial(self._loop.connect_accepted_socket, self._connection, ssl=self._tls)
        await asyncio.gather(*map(connect, accepted), return_exceptions=True)  # some have gone

    def _connection(self) -> Connection:
        return Connection(self)

    def _none_arrives(self, quiet_since: float) -> bool:
        """Close those that have been idle since then; whether no request may come on another."""
        for connection in list(self.connections):
            is_quiet = connection.is_idle and connection.idle_since <= quiet_since
            if is_quiet and not is_readable(connection.transport):
                connection.transport.close()
        return not any(each.is_idle or each.is_reading for each in self.connections)

    async def _until(self, condition: Callable[[], bool], patience: float) -> None:
        end = self.now() + patience
        while not condition() and self.now() < end:
            await asyncio.sleep(TICK_SECONDS / 10)

    # For connections

    def add(self, connection: Connection) -> bool:
        """Whether it may stay."""
        self.connections.add(connection)
        return len(self.connections) <= self.max_connections

    def remove(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._unsent.discard(connection)
        self._half_closed.discard(connection)
        self.paused.discard(connection)

    def hold(self, size: int) -> bool:
        """Count bytes of a body that is arriving; False if there are too many."""
        self.held += size
        return self.held <= self.max_incoming

    def release(self, size: int) -> None:
        self.held -= size

    def note_unsent(self, connection: Outgoing) -> None:
        """Its caller reads more slowly than it is answered."""
        self._unsent.add(connection)
        self._check_unsent()

    def note_half_closed(self, connection: Connection) -> None:
        self._half_closed.add(connection)
        self._loop.call_later(_GONE_SECONDS, connection.check_gone)

    # The clock

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            ticks += 1
            try:
                self._look(complete=ticks % round(1 / TICK_SECONDS) == 0)
            except Exception:  # a bug of ours must not stop the clock
                log.exception("checking the connections failed")

    def _look(self, *, complete: bool) -> None:
        for connection in list(self._half_closed):
            connection.check_gone()
        for connection in [each for each in self.paused if has_hung_up(each.transport)]:
            connection.read_to_end()
        self._check_unsent()
        if complete:
            self._set_date()
            now = self.now()
            for connection in list(self.connections):
                connection.check_time(now)

    def _set_date(self) -> None:
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()

    def _check_unsent(self) -> None:
        """See what callers have read; cut off those that read nothing if they hold too much."""
        now, total = self.now(), 0
        for connection in list(self._unsent):
            left = connection.look_at_unsent(now)
            if not left:
                self._unsent.discard(connection)
            total += left
        is_full = total > self.max_unsent
        if is_full is not self._is_full:
            self._is_full = is_full
            self.on_pressure(is_full)
        for connection in list(self._unsent) if is_full else ():
            if now - connection.unsent_since >= STALLED_SECONDS:
                connection.transport.abort()


def _max_connections() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # some systems allow less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(soft - _SPARE_FILES, soft // 2) if soft != resource.RLIM_INFINITY else sys.maxsize


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address; port 0 takes a free one. Raises OSError."""
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
