"""The limit of connections: which may stay, and which gives way to another."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.tasks.front.peers import is_readable

if TYPE_CHECKING:
    from engine.tasks.front.connection import Connection

MAX_SURPLUS = 64
"""Callers beyond the limit of connections that may stay for a moment to read why they have to go;
with TLS, also how many handshakes beyond the limit may begin."""

SILENT_SECONDS = 1.0
"""Seconds without a request after which a connection gives way to another if there are too many."""

_SPARE_FILES = 512
"""Open files that are reserved for the task processes and everything else."""


class Places:
    """The `connections` of a server, of which `most` have a place, and the protocols of
    `handshakes` in progress, which take places, too."""

    def __init__(self, most: int | None, now: Callable[[], float]) -> None:
        """Without a limit, as many as there may be open files; raises that limit as far as
        allowed."""
        self.connections: set[Connection] = set()
        self.handshakes: set[asyncio.BaseProtocol] = set()
        self._most = _files_for_connections() if most is None else most
        self._now = now
        self._surplus: set[Connection] = set()
        """Connections that end because of the limit, and do not count."""

        self._silent: deque[Connection] = deque()
        """Those that may be closed for others, the one first that has been idle for longest."""

        self._searched = -SILENT_SECONDS

    def take(self, connection: Connection) -> bool:
        """A connection is made; whether it may stay."""
        self.handshakes.discard(connection)
        count = len(self.connections) - len(self._surplus) + len(self.handshakes)
        has_place = count < self._most or self._make_room()
        self.connections.add(connection)
        if not has_place:
            self._surplus.add(connection)
        return has_place

    def leave(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._surplus.discard(connection)

    def has_room(self) -> bool:
        """Whether a handshake may begin."""
        return len(self.connections) + len(self.handshakes) < self._most + MAX_SURPLUS

    def is_surplus(self, connection: Connection) -> bool:
        """Whether it ends because of the limit."""
        return connection in self._surplus

    def waits_for(self, connection: Connection) -> bool:
        """Whether its caller, which has no place, may take its time to read what it was sent."""
        return connection in self._surplus and len(self._surplus) <= MAX_SURPLUS

    def look(self) -> None:
        """Called once a second: by now, others may be idle."""
        if self._now() - self._searched >= SILENT_SECONDS:
            self._silent.clear()

    def _make_room(self) -> bool:
        """Hang up on an idle caller, so that those without requests do not lock others out."""
        if self._now() - self._searched >= SILENT_SECONDS:
            self._searched = self._now()
            silent = [each for each in self.connections if self._is_silent(each)]
            self._silent = deque(sorted(silent, key=lambda each: each.idle_since))
        while self._silent:
            connection = self._silent.popleft()
            if self._is_silent(connection) and not is_readable(connection.transport):
                self._surplus.add(connection)
                if self.waits_for(connection) and connection.transport.can_write_eof():
                    connection.close()
                else:
                    connection.abort()
                return True
        return False

    def _is_silent(self, connection: Connection) -> bool:
        """Whether nothing is under way between it and its caller, and has not been for a while."""
        if not connection.is_idle or connection not in self.connections:
            return False
        waits = self._now() - connection.idle_since >= SILENT_SECONDS
        return waits and not connection.transport.get_write_buffer_size()


def _files_for_connections() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # some systems allow less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(soft - _SPARE_FILES, soft // 2) if soft != resource.RLIM_INFINITY else sys.maxsize
