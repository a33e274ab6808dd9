"""The HTTP server: it gets connections from an open socket, and watches them."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from email.utils import formatdate
from functools import partial

from engine.tasks.front.calls import Application
from engine.tasks.front.connection import Connection
from engine.tasks.front.known_heads import KnownHeads
from engine.tasks.front.listening import Acceptor
from engine.tasks.front.outgoing import Outgoing
from engine.tasks.front.peers import has_hung_up, is_readable
from engine.tasks.front.places import Places
from engine.tasks.front.reply import overloaded

log = logging.getLogger(__name__)

MAX_INCOMING_BYTES = 512 * 1024 * 1024
"""Bytes of incomplete bodies, over all callers."""

MAX_UNSENT_BYTES = 64 * 1024 * 1024
"""Bytes of responses that callers have not read: beyond that, the server takes no more of them from
its processes, and cuts off callers that read nothing."""

STALLED_SECONDS = 1.0
"""Seconds without reading that count as stalled then."""

TICK_SECONDS = 0.25
CLOSE_SECONDS = 1.0
"""Seconds for an idle connection to send another request, once the server is draining; and, once it
accepts no more, for requests that have begun to arrive."""

RECENT_SECONDS = 5.0
"""Seconds since its last response for a connection that has had one: its caller may well go on."""

_GONE_SECONDS = 0.01
"""Seconds after which a caller that has hung up, and not only half-closed, is known."""


class HttpServer:
    """Serves an application. `draining`: every connection ends with its next response."""

    def __init__(self, application: Application, max_connections: int | None = None) -> None:
        self.application = application
        self.places = Places(max_connections, lambda: self.now())
        self.connections = self.places.connections
        self.known_heads = KnownHeads()
        self.draining = False
        self.date = b""
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
        self.acceptor: Acceptor | None = None
        self._clock: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self._set_date()
        self.acceptor = Acceptor(partial(Connection, self), self.places, listener, tls)
        await self.acceptor.start()
        self._clock = asyncio.create_task(self._tick(), name="http clock")

    async def drain(
        self,
        patience: float = CLOSE_SECONDS,
        delay: float | None = None,
        recent: float = RECENT_SECONDS,
    ) -> None:
        """Accept no more connections, let begun requests arrive, and hang up on idle callers.

        Callers are served, each for the last time, for `delay` seconds before that; if it is None,
        only until no connection is idle, and no longer than `patience`. Whoever has been served
        in the last `recent` seconds is not hung up on yet.
        """
        self.draining = True
        if delay is None:
            await self._until(lambda: not any(each.is_idle for each in self.connections), patience)
        else:
            await asyncio.sleep(delay)
        if self.acceptor is not None:
            await self.acceptor.accept_last()
        end = self.now() + patience
        await self._until(lambda: self._none_arrives(patience, recent, end), max(patience, recent))
        self._none_arrives(0, 0, end)
        for connection in [each for each in self.connections if each.is_reading]:
            connection.refuse(overloaded("the server is shutting down"))
        if self.acceptor is not None:
            self.acceptor.abort_handshakes()

    def stop_listening(self) -> None:
        if self.acceptor is not None:
            self.acceptor.stop()
            self.acceptor.abort_handshakes()

    async def closed(self, patience: float) -> None:
        """Wait for the responses to be sent and read, then cut the connections that are left."""
        await self._until(self._all_have_gone, patience)
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        if self._clock is not None:
            self._clock.cancel()

    def _all_have_gone(self) -> bool:
        for connection in [each for each in self.connections if each.lingers]:
            connection.check_time(self.now())
        return not self.connections

    def _none_arrives(self, patience: float, recent: float, end: float) -> bool:
        """Hang up on idle callers; whether no request may come any more.

        Those that have begun to arrive, and handshakes, have until `end`.
        """
        now = self.now()
        for connection in [each for each in self.connections if each.is_idle]:
            wait = recent if connection.was_served else patience
            if now - connection.idle_since >= wait and not is_readable(connection.transport):
                connection.close()
        if now < end and (
            self.places.handshakes or any(each.is_reading for each in self.connections)
        ):
            return False
        return not any(each.is_idle for each in self.connections)

    async def _until(self, condition: Callable[[], bool], patience: float) -> None:
        end = self.now() + patience
        while not condition() and self.now() < end:
            await asyncio.sleep(TICK_SECONDS / 10)

    # For connections

    def remove(self, connection: Connection) -> None:
        self.places.leave(connection)
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
        self._loop.call_soon(connection.check_gone)  # that of this machine is known at once
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
            self.places.look()
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
