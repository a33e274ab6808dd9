"""Where the admin API is served: on the socket of `engine tasks`, and on a port if one is given."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from engine.tasks.definition.token_hash import TokenHash
from engine.tasks.front.front import Page, Policy
from engine.tasks.front.http_server import HttpServer
from engine.tasks.server.admin import AdminAccess, AdminApplication
from engine.tasks.server.control import listen_here
from engine.tasks.server.endpoint import Endpoint
from engine.tasks.server.operations import Operations

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64

TokensNow = Callable[[], Iterable[TokenHash]]


class AdminPort(msgspec.Struct, frozen=True):
    """A port for operators. `tokens` is a token file; without one, all that reach it may use it."""

    endpoint: Endpoint
    policy: Policy = Policy()
    tokens: str = ""


class AdminServer:
    """Both, for one server. `tokens_of` gives the tokens of a file that is watched."""

    def __init__(
        self,
        operations: Operations,
        pages: Mapping[str, Page],
        port: AdminPort | None,
        tokens_of: Callable[[str], TokensNow],
    ) -> None:
        self._operations = operations
        self._pages = pages
        self._port = port
        self._tokens_of = tokens_of
        self._servers: list[HttpServer] = []
        self._path: Path | None = None

    async def start(self) -> None:
        """Raises ConfigurationError or EngineError if it cannot listen, or has no tokens."""
        self._path, listener = listen_here()
        await self._serve(None, listener, None)
        if self._port is None:
            return
        tokens = self._tokens_of(self._port.tokens) if self._port.tokens else None
        endpoint, listener = self._port.endpoint.listen()
        tls = None if endpoint.tls is None else endpoint.tls.context
        await self._serve(AdminAccess(self._port.policy, tokens), listener, tls)
        log.info("admin port at %s", endpoint.url)

    async def stop(self) -> None:
        for server in self._servers:
            server.stop_listening()
            await server.closed(0)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(
        self, access: AdminAccess | None, listener: socket.socket, tls: ssl.SSLContext | None
    ) -> None:
        application = AdminApplication(self._operations, self._pages, access)
        server = HttpServer(application, MAX_CONNECTIONS)
        await server.start(listener, tls)
        self._servers.append(server)
