"""An HTTP server that echoes, for the tests of connections: the server and both ends of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from engine.tasks.front.connection import Connection
from engine.tasks.front.head import Head
from engine.tasks.front.http_server import listen, server_for
from engine.tasks.front.small_request import BodyHandler, Respond
from tests.tasks.hosting import turns
from tests.tasks.wire import Answer, answers, message

GET = message("GET", "/", [("Connection", "close")])

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """Answers with the method, the path and the body; what is asked for `/wait` has to wait.

    One that `takes` answers small requests as the front does, without ASGI; those for `/late` when
    the test lets them go.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.takes = False
        self.late: list[Callable[[], None]] = []
        self.refused: list[tuple[int, str]] = []
        self.gate = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = []

    def body_handler(self, head: Head) -> BodyHandler | None:
        return partial(self._take, head) if self.takes and head.path != "/wait" else None

    def _take(self, head: Head, body: bytes, respond: Respond) -> None:
        said = f"{head.method} {head.path} ".encode() + body
        answer = partial(respond, 200, [("content-length", str(len(said)))], said)
        if head.path == "/late":
            self.late.append(answer)
        else:
            answer()

    def record_unread(self, client: str, status: int, size: int) -> None:
        self.refused.append((status, client.partition(":")[0]))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        self.headers = list(scope["headers"])
        body = b""
        if not scope["path"].startswith("/unread"):
            more = True
            while more:
                got = await receive()
                if got["type"] == "http.disconnect":
                    return
                body += got.get("body", b"")
                more = got.get("more_body", False)
        if scope["path"] == "/wait":
            await self.gate.wait()
        if scope["path"] == "/large":
            body = bytes(20_000_000)
        said = f"{scope['method']} {scope['path']} ".encode() + body
        headers = [(b"content-length", b"%d" % len(said))]
        if scope["path"] == "/unread/refused":
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})


class Running:
    def __init__(self, port: int, connections: Callable[[], list[Connection]], echo: Echo) -> None:
        self.port = port
        self.connections = connections
        self.echo = echo
        self.callers: list[asyncio.StreamWriter] = []

    async def connect(self, limit: int = 2**26) -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", self.port, limit=limit)
        self.callers.append(streams[1])
        return streams

    async def talk(self, data: bytes) -> list[Answer]:
        """The answers until the server closes."""
        reader, writer = await self.connect()
        writer.write(data)
        said = await reader.read()
        writer.close()
        return answers(said)

    async def connection(self) -> Connection:
        """The server's end of the only connection."""
        await turns(self.connections)
        (connection,) = self.connections()
        return connection

    async def later(self, seconds: float) -> None:
        """The server looks at the clock, so many seconds on."""
        connection = await self.connection()
        connection.end_if_too_slow(connection.loop.time() + seconds)


@asynccontextmanager
async def running() -> AsyncIterator[Running]:
    echo = Echo()
    server = server_for(echo)
    listener = listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await turns(lambda: server.started)

    def connections() -> list[Connection]:
        return [each for each in server.server_state.connections if isinstance(each, Connection)]

    here = Running(listener.getsockname()[1], connections, echo)
    try:
        yield here
    finally:
        for caller in here.callers:
            if not caller.is_closing():
                caller.transport.abort()
        echo.gate.set()
        for connection in connections():
            connection.transport.abort()
        await turns(lambda: not connections())
        server.should_exit = server.force_exit = True
        await serving
        listener.close()
