"""How connections come to a server: from a listening socket, and with TLS through a handshake.

A handshake takes the place of a connection, is bounded in time, and ends with the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.tasks.front.places import Places

log = logging.getLogger(__name__)

BACKLOG = 4096
HANDSHAKE_SECONDS = 20.0
"""Seconds for the handshake of TLS."""

SHUTDOWN_SECONDS = 3600.0
"""Seconds for a caller of TLS to read the end of its response; one that stalls is cut off earlier,
by its connection."""

_ACCEPTED_AT_ONCE = 64
_NO_FILES_SECONDS = 1.0
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Acceptor:
    """Accepts connections on `listener`; each gets its protocol from `connect`.

    With TLS it accepts them itself, by asyncio's documented `connect_accepted_socket`: a server of
    asyncio does not tell which handshakes are in progress.
    """

    def __init__(
        self,
        connect: Callable[[], asyncio.Protocol],
        places: Places,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.handshake_seconds = HANDSHAKE_SECONDS
        self._connect = connect
        self._places = places
        self._listener = listener
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        if self._tls is not None:
            self._listener.listen(BACKLOG)
            self._loop.add_reader(self._listener, self._accept)
        elif self._listener.family == socket.AF_UNIX:
            self._server = await self._loop.create_unix_server(
                self._connect, sock=self._listener, backlog=BACKLOG
            )
        else:
            self._server = await self._loop.create_server(
                self._connect, sock=self._listener, backlog=BACKLOG
            )

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._pause is not None:
            self._pause.cancel()
        if self._server is not None:
            self._server.close()
        elif self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
            self._listener.close()

    async def accept_last(self) -> None:
        """Stop. Those that have connected are accepted: closing would reset them.

        Of TLS, the handshakes are in progress afterwards.
        """
        if self._listener.fileno() < 0:
            return
        accepted: list[socket.socket] = []
        with self._listener.dup() as last:  # keeps it open when the loop has stopped
            self.stop()
            await asyncio.sleep(0)
            with contextlib.suppress(OSError):  # nobody waits any more
                while len(accepted) < BACKLOG:
                    accepted.append(last.accept()[0])
        for each in accepted:
            self._open(each)
        if self._tls is None and self._tasks:
            await asyncio.wait(self._tasks)

    def abort_handshakes(self) -> None:
        for task in self._tasks:
            self._loop.call_soon(task.cancel)  # not before it has begun, and holds its socket

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connected, _ = self._listener.accept()
            except OSError as error:  # nobody waits any more, or has gone again
                if error.errno in _EXHAUSTED:
                    self._wait_for_files(error)
                return
            self._open(connected)

    def _wait_for_files(self, error: OSError) -> None:
        log.error("cannot accept connections: %s", error.strerror)
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(
            _NO_FILES_SECONDS, self._loop.add_reader, self._listener, self._accept
        )

    def _open(self, connected: socket.socket) -> None:
        if self._tls is not None and not self._places.has_room():
            connected.close()
            return
        connected.setblocking(False)
        protocol = self._connect()
        task = self._loop.create_task(self._opened(connected, protocol))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._tls is not None:
            self._places.handshakes.add(protocol)

    async def _opened(self, connected: socket.socket, protocol: asyncio.Protocol) -> None:
        limits: dict[str, Any] = {}
        if self._tls is not None:
            limits["ssl_handshake_timeout"] = self.handshake_seconds
            limits["ssl_shutdown_timeout"] = SHUTDOWN_SECONDS
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol, connected, ssl=self._tls, **limits
            )
        except OSError:  # it has gone, is too slow, or does not speak TLS
            pass
        finally:
            self._places.handshakes.discard(protocol)


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
