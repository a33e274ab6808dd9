"""An HTTP server that echoes, for the tests of connections: the server and both ends of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from engine.request_tags import RequestTag
from engine.tasks.front.calls import Respond
from engine.tasks.front.connection import Connection
from engine.tasks.front.head import Head
from engine.tasks.front.http_server import HttpServer
from engine.tasks.front.listening import listen
from engine.tasks.front.reply import Reply
from engine.tasks.wire.messages import Response
from tests.tasks.hosting import turns
from tests.tasks.wire import Answer, answers, message

GET = message("GET", "/", [("Connection", "close")])
LIMIT = 50_000_000

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pieces:
    """A response in pieces; it waits for the gate before the last one."""

    def __init__(self, pieces: list[bytes], gate: asyncio.Event) -> None:
        self._pieces = pieces
        self._gate = gate
        self.closed = False

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        if len(self._pieces) == 1:
            await self._gate.wait()
        return self._pieces.pop(0)

    async def aclose(self) -> None:
        self.closed = True


class Echo:
    """Answers with the method, the path and the body.

    What is asked for `/late` waits until the test lets it go; `/large` gets 20 MB, `/refused` its
    answer before its body, `/pieces` a stream.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.heads: list[Head] = []
        self.late: list[Callable[[], None]] = []
        self.withdrawn: list[str] = []
        self.unread: list[tuple[int, str]] = []
        self.sent: list[tuple[int, int]] = []
        self.gate = asyncio.Event()
        self.pieces = Pieces([b"one", b"two"], self.gate)

    def call(self, head: Head) -> EchoCall:
        self.asked.append(head.path)
        self.heads.append(head)
        return EchoCall(self, head)

    def record_unread(self, client: str, tag: RequestTag, status: int, size: int) -> None:
        self.unread.append((status, client.partition(":")[0]))


class EchoCall:
    limit = LIMIT

    def __init__(self, echo: Echo, head: Head) -> None:
        self._echo = echo
        self._head = head
        self.tag = head.tag
        refused = head.path.startswith("/refused")
        self.refusal = self._said(b"") if refused else None

    def _said(self, body: bytes) -> Reply:
        return Reply(200, [], f"{self._head.method} {self._head.path} ".encode() + body)

    def refuse(self, reply: Reply) -> Reply:
        return reply

    def start(self, body: bytes, respond: Respond) -> None:
        if self._head.path == "/large":
            body = bytes(20_000_000)
        if self._head.path == "/pieces":
            respond(Reply(200, [], self._echo.pieces))
        elif self._head.path == "/late":
            self._echo.late.append(partial(respond, self._said(body)))
        else:
            respond(self._said(body))

    def withdraw(self) -> None:
        self._echo.withdrawn.append(self._head.path)

    def record(self, reply: Response | Reply, size: int) -> None:
        self._echo.sent.append((reply.status, size))


class Running:
    def __init__(self, port: int, server: HttpServer, echo: Echo) -> None:
        self.port = port
        self.server = server
        self.echo = echo
        self.callers: list[asyncio.StreamWriter] = []

    def connections(self) -> list[Connection]:
        return list(self.server.connections)

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
        connection.check_time(self.server.now() + seconds)

    async def let_go(self) -> None:
        """Answer the request for `/late` that waits."""
        await turns(lambda: self.echo.late)
        self.echo.late.pop()()


@asynccontextmanager
async def running(
    max_connections: int | None = None, *, clock_stands: bool = False
) -> AsyncIterator[Running]:
    """With a clock that stands, time passes only as the test says, however slow the machine is."""
    echo = Echo()
    server = HttpServer(echo, max_connections)
    if clock_stands:
        server.now = partial(float, server.now())
    listener = listen("127.0.0.1", 0)
    await server.start(listener)
    here = Running(listener.getsockname()[1], server, echo)
    try:
        yield here
    finally:
        for caller in here.callers:
            if not caller.is_closing():
                caller.transport.abort()
        echo.gate.set()
        for connection in here.connections():
            connection.transport.abort()
        await turns(lambda: not here.connections())
        server.stop_listening()
        await server.closed(0)
