"""The HTTP server against callers that are slow, endless, half gone or no speakers of HTTP."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from engine.tasks.web.connection import (
    KEEP_ALIVE_SECONDS,
    LONGEST_HEAD,
    LONGEST_LINGER,
    SLOWEST_READER_SECONDS,
    SLOWEST_REQUEST_SECONDS,
    Connection,
)
from engine.tasks.web.head import Head
from engine.tasks.web.http_server import listen, server_for
from engine.tasks.web.whole import Respond, Take
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import Answer, answers, message

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """Answers with the method, the path and the body; what is asked for `/wait` has to wait."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.takes = False
        self.gate = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = []

    def taker(self, head: Head) -> Take | None:
        """As the front does: at once, without ASGI."""
        return partial(self._take, head) if self.takes and head.path != "/wait" else None

    def _take(self, head: Head, body: bytes, respond: Respond) -> None:
        said = f"{head.method} {head.path} ".encode() + body
        respond(200, [("content-length", str(len(said)))], said)

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
        server.should_exit = server.force_exit = True
        await serving
        listener.close()


def _cycle(connection: Connection) -> RequestResponseCycle:
    cycle = connection.cycle
    assert isinstance(cycle, RequestResponseCycle)
    return cycle


GET = message("GET", "/", [("Connection", "close")])


@in_loop
async def test_pipelined_requests_are_answered_in_order() -> None:
    async with running() as server:
        first = message("POST", "/wait", (), b"1")
        server.echo.gate.set()
        told = await server.talk(first + message("POST", "/b", (), b"2") + GET)
    assert [each.body for each in told] == [b"POST /wait 1", b"POST /b 2", b"GET / "]


@in_loop
async def test_what_is_no_http_is_refused_after_the_answers_to_what_came_before() -> None:
    async with running() as server:
        server.echo.gate.set()
        good, bad = await server.talk(message("POST", "/wait", (), b"1") + b"NONSENSE\r\n\r\n")
    assert good.body == b"POST /wait 1"
    assert bad.status == 400
    assert bad.json["error"] == "the request is not HTTP"
    assert bad.header("connection") == ["close"]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", "Content-Length"),
        ("POST / HTTP/1.1\r\ncontent-length: 1, 1\r\n\r\n1", "Content-Length"),
        ("POST / HTTP/1.1\r\ncontent-length: 0x1\r\n\r\n1", "Content-Length"),
        ("POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n1", "overflow"),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n1", "Duplicate"),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n1", "Duplicate"),
        (
            "POST / HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "can't be present with",
        ),
        (
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
            "can't be present with",
        ),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked, x\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxx\r\n", "chunk size"),
        ("GET / HTTP/1.1\r\nhost : here\r\n\r\n", "header token"),
        ("GET / HTTP/1.1\r\nx: 1\r\n folded\r\n\r\n", "whitespace"),
        ("GET / HTTP/1.1\r\nx: \0\r\n\r\n", "header value"),
        ("GET / HTTP/1.1\nhost: here\n\n", "CRLF"),
        ("GET / HTTP/3.0\r\n\r\n", "version"),
        ("GET http://here HTTP/1.1\r\n\r\n", "URL"),
        ("GET /\x80 HTTP/1.1\r\n\r\n", "url"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI"),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "method"),
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_refused(head: str, reason: str) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            (told,) = await server.talk(head.encode("latin-1"))
            assert server.echo.asked in ([], ["/"])  # one whose body is wrong has begun
        assert told.status == 400
        assert reason in told.json["reason"]
        assert told.json["resolution"]

    check()


@in_loop
async def test_fields_after_a_chunked_body_are_no_headers() -> None:
    async with running() as server:
        chunks = b"1\r\nx\r\n0\r\nauthorization: Bearer stolen\r\n\r\n"
        request = message("POST", "/", [("Transfer-Encoding", "chunked")], chunks) + GET
        first, _ = await server.talk(request)
        assert first.body == b"POST / x"
        _, writer = await server.connect()
        writer.write(message("POST", "/wait", [("Transfer-Encoding", "chunked")], chunks))
        await turns(lambda: "/wait" in server.echo.asked)
        assert b"authorization" not in dict(server.echo.headers)


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
def test_a_caller_that_would_rather_speak_another_protocol_is_answered_in_this_one(
    size: int,
) -> None:
    wish = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "")]

    @in_loop
    async def check() -> None:
        async with running() as server:
            smuggled = message("GET", "/smuggled")
            data = message("POST", "/a", wish, smuggled) + message("GET", "/b", wish) + GET
            reader, writer = await server.connect()
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await writer.drain()
            told = answers(await reader.read())
            assert server.echo.asked == ["/a", "/b", "/"]
        assert [each.body for each in told] == [b"POST /a " + smuggled, b"GET /b ", b"GET / "]

    check()


# Heads


@in_loop
async def test_a_head_that_never_ends_is_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(b"GET / HTTP/1.1\r\n")
        for _ in range(10 * LONGEST_HEAD // 10_000):
            writer.write(b"x: " + b"y" * 10_000 + b"\r\n")
        (told,) = answers(await reader.read())
        assert server.echo.asked == []
    assert told.status == 431
    assert told.json["reason"] == "it has more than 65,536 bytes"


@pytest.mark.parametrize("pieces", [1, 50])
def test_a_head_is_too_large_however_it_arrives(pieces: int) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            request = message("GET", "/?" + "a" * LONGEST_HEAD, [("Connection", "close")])
            reader, writer = await server.connect()
            size = len(request) // pieces + 1
            for start in range(0, len(request), size):
                writer.write(request[start : start + size])
                await writer.drain()
            (told,) = answers(await reader.read())
            assert server.echo.asked == []
        assert told.status == 431

    check()


@in_loop
async def test_a_head_just_below_the_limit_is_read() -> None:
    async with running() as server:
        headers = [(f"X-{number}", "v" * 20) for number in range(1800)]
        (told,) = await server.talk(message("GET", "/", [*headers, ("Connection", "close")]))
    assert told.status == 200


@in_loop
async def test_a_body_before_the_next_head_is_not_counted_as_head() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        body = bytes(3 * LONGEST_HEAD)
        writer.write(message("POST", "/a", (), body) + GET[:10])
        first = await reader.readuntil(b"POST /a ")
        writer.write(GET[10:])
        rest = await reader.read()
    assert [each.status for each in answers(first + rest)] == [200, 200]


@in_loop
async def test_fields_after_the_body_that_never_end_are_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("POST", "/", [("Transfer-Encoding", "chunked")], b"0\r\n"))
        for number in range(10 * LONGEST_HEAD // 1000):
            writer.write(b"x-%d: " % number + b"y" * 1000 + b"\r\n")
        (told,) = answers(await reader.read())
    assert told.status == 431


# Slow callers


@pytest.mark.parametrize(
    "begun", [b"G", GET[:-3], message("POST", "/a", [("Content-Length", "10")]) + b"abc"]
)
def test_a_request_that_does_not_get_on_is_ended(begun: bytes) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            reader, writer = await server.connect()
            writer.write(begun)
            connection = await server.connection()
            await turns(lambda: connection._came == len(begun))
            await server.later(SLOWEST_REQUEST_SECONDS - 1)
            assert not connection.transport.is_closing()
            await server.later(SLOWEST_REQUEST_SECONDS + 1)
            (told,) = answers(await reader.read())
        assert told.status == 408
        assert told.json["reason"] == "it was not complete after 20 seconds"

    check()


@in_loop
async def test_who_connects_and_asks_nothing_is_hung_up_on_without_a_word() -> None:
    async with running() as server:
        reader, _ = await server.connect()
        await server.later(SLOWEST_REQUEST_SECONDS + 1)
        assert await reader.read() == b""


@pytest.mark.parametrize("takes", [True, False])
def test_a_connection_that_waits_for_its_next_request_is_ended_in_time(takes: bool) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            server.echo.takes = takes
            reader, writer = await server.connect()
            writer.write(message("GET", "/a"))
            await reader.readuntil(b"GET /a ")
            await server.later(KEEP_ALIVE_SECONDS - 1)
            writer.write(message("GET", "/b"))
            await reader.readuntil(b"GET /b ")
            await server.later(KEEP_ALIVE_SECONDS + 1)
            assert await reader.read() == b""

    check()


@in_loop
async def test_line_breaks_between_requests_do_not_keep_a_connection() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/a"))
        await reader.readuntil(b"GET /a ")
        writer.write(b"\r\n")
        connection = await server.connection()
        await turns(lambda: connection._came == 2)
        await server.later(SLOWEST_REQUEST_SECONDS + 1)
        assert await reader.read() == b""


@in_loop
async def test_a_body_that_comes_fast_enough_may_take_long() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        body = bytes(1_000_000)
        writer.write(message("POST", "/a", [("Content-Length", "1000001")]) + body)
        connection = await server.connection()
        await turns(lambda: server.echo.asked and not _cycle(connection).body)
        await server.later(SLOWEST_REQUEST_SECONDS - 1)
        writer.write(b"x")
        assert (await reader.readuntil(b"POST /a "))[9:12] == b"200"


@in_loop
async def test_a_request_that_waited_for_its_turn_is_not_too_slow() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        late = message("POST", "/late", [("Content-Length", "10")])
        writer.write(message("GET", "/wait") + late)
        connection = await server.connection()
        await turns(lambda: connection.pipeline)
        await server.later(10 * SLOWEST_REQUEST_SECONDS)
        began = connection._reading_since
        assert began is not None
        connection._reading_since = began - 10 * SLOWEST_REQUEST_SECONDS
        server.echo.gate.set()
        await reader.readuntil(b"GET /wait ")
        await server.later(1)
        writer.write(b"0123456789")
        assert (await reader.readuntil(b"POST /late "))[9:12] == b"200"


@in_loop
async def test_an_answer_may_take_as_long_as_it_likes() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/wait"))
        await turns(lambda: server.echo.asked)
        await server.later(1000 * SLOWEST_REQUEST_SECONDS)
        server.echo.gate.set()
        assert (await reader.readuntil(b"GET /wait "))[9:12] == b"200"


@in_loop
async def test_who_does_not_read_its_answer_is_cut_off() -> None:
    async with running() as server:
        _, writer = await server.connect(limit=1000)
        writer.write(message("GET", "/large"))
        connection = await server.connection()
        await turns(lambda: connection.transport.get_write_buffer_size() > 1_000_000)
        await turns(lambda: _cycle(connection).response_started)
        await server.later(0)
        await server.later(0)
        await server.later(SLOWEST_READER_SECONDS - 1)
        assert server.connections()
        await server.later(2 * SLOWEST_READER_SECONDS)
        await server.later(4 * SLOWEST_READER_SECONDS)
        await turns(lambda: not server.connections())


# Callers that are half gone


@in_loop
async def test_a_caller_that_has_said_all_and_half_closed_gets_its_answers() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/wait") + message("GET", "/b"))
        writer.write_eof()
        await turns(lambda: server.echo.asked)
        server.echo.gate.set()
        told = answers(await reader.read())
    assert [each.body for each in told] == [b"GET /wait ", b"GET /b "]


@in_loop
async def test_a_request_that_breaks_off_is_not_answered() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("POST", "/a", [("Content-Length", "10")]) + b"abc")
        writer.write_eof()
        assert await reader.read() == b""
        await turns(lambda: not server.connections())


@in_loop
async def test_a_caller_that_resets_leaves_nothing_behind() -> None:
    async with running() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.sendall(message("GET", "/wait") + GET[:10])
            await turns(lambda: server.echo.asked)
        await turns(lambda: not server.connections())
        (told,) = await server.talk(GET)
    assert told.status == 200


@in_loop
async def test_who_still_sends_can_read_the_answer_that_ends_its_connection() -> None:
    async with running() as server:
        length = 30_000_000
        head = message("POST", "/unread/refused", [("Content-Length", str(length))])
        (told,) = await server.talk(head + bytes(length))
        assert told.body == b"POST /unread/refused "
        await turns(lambda: not server.connections())


@in_loop
async def test_a_thousand_requests_that_wait_for_their_turn_are_answered() -> None:
    async with running() as server:
        server.echo.takes = True
        reader, writer = await server.connect()
        writer.write(message("GET", "/wait") + 1000 * message("GET", "/taken") + GET)
        await turns(lambda: server.echo.asked)
        server.echo.gate.set()
        told = answers(await reader.read())
    assert [each.body for each in told] == [b"GET /wait ", *(1000 * [b"GET /taken "]), b"GET / "]


@in_loop
async def test_nobody_lingers_for_ever() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(b"NONSENSE\r\n\r\n")
        assert answers(await reader.read())[0].status == 400
        await server.later(LONGEST_LINGER - 1)
        assert server.connections()
        await server.later(LONGEST_LINGER + 1)
        await turns(lambda: not server.connections())


@in_loop
async def test_a_body_that_nobody_wants_leaves_the_connection_usable() -> None:
    async with running() as server:
        told = await server.talk(message("POST", "/unread", (), bytes(2_000_000)) + GET)
    assert [each.body for each in told] == [b"POST /unread ", b"GET / "]


# Manners


@in_loop
async def test_who_asks_before_it_sends_is_told_to_go_on() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        expect = [("Expect", "100-continue"), ("Content-Length", "3")]
        writer.write(message("POST", "/a", expect))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        (told,) = answers(await reader.read())
    assert told.body == b"POST /a abc"


@in_loop
async def test_who_asks_before_it_sends_and_is_refused_cannot_ask_on() -> None:
    """What follows could be the body, or another request."""
    async with running() as server:
        expect = [("Expect", "100-continue"), ("Content-Length", "100")]
        (told,) = await server.talk(message("POST", "/unread", expect) + message("GET", "/b"))
        assert server.echo.asked == ["/unread"]
    assert told.header("connection") == ["close"]


@in_loop
async def test_a_caller_of_http_1_0_is_answered_and_hung_up_on() -> None:
    async with running() as server:
        (told,) = await server.talk(b"GET /a HTTP/1.0\r\n\r\n")
    assert told.body == b"GET /a "
    assert told.header("connection") == ["close"]


@in_loop
async def test_an_answer_to_head_has_no_body() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("HEAD", "/a") + GET)
        told = answers(await reader.read(), ["HEAD", "GET"])
    assert [each.body for each in told] == [b"", b"GET / "]
    assert told[0].header("content-length") == ["8"]


@in_loop
async def test_too_many_connections_are_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        config: Any = (await server.connection()).config
        config.most_connections = 1
        (told,) = await server.talk(b"")
        assert told.status == 503
        writer.write(GET)
        assert (await reader.read())[9:12] == b"200"
