"""The HTTP server: uvicorn with our own connection class, on an open socket."""

from __future__ import annotations

import contextlib
import resource
import socket
import sys
from collections.abc import Iterator

import uvicorn

from engine.tasks.front.connection import Application, Config, Connection

BACKLOG = 4096

_SPARE_FILES = 512
"""Open files that are reserved for the task processes and everything else."""


class HttpServer(uvicorn.Server):
    """Serves an application until `should_exit` is set. Signals are left to the caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.end_if_too_slow(connection.loop.time())
        return await super().on_tick(counter)


def server_for(application: Application) -> HttpServer:
    """A server for the application. Raises the limit of open files as far as allowed."""
    config = Config(
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
    )
    config.max_connections = _max_connections()
    return HttpServer(config)


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
