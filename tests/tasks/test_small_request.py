"""Small requests on the fast path, without ASGI, as for ultra tasks."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.front.connection import SMALL_BODY_BYTES, Connection
from engine.tasks.front.http_server import server_for
from tests.tasks.echoing import GET, Echo, Running, running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message

LATE = message("POST", "/late", (), b"1")


@asynccontextmanager
async def taking() -> AsyncIterator[Running]:
    async with running() as server:
        server.echo.takes = True
        yield server
        assert server.echo.asked == []  # nothing went through ASGI


@in_loop
async def test_an_answer_may_come_at_once_or_later() -> None:
    async with taking() as server:
        reader, writer = await server.connect()
        writer.write(message("POST", "/a", (), b"at once"))
        assert (await reader.readuntil(b"at once")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.write(LATE)
        await turns(lambda: server.echo.late)
        server.echo.late.pop()()
        assert (await reader.readuntil(b"POST /late 1")).startswith(b"HTTP/1.1 200 OK\r\n")


@in_loop
async def test_a_body_that_comes_byte_by_byte_is_put_together() -> None:
    async with taking() as server:
        reader, writer = await server.connect()
        for byte in message("POST", "/a", (), b"in pieces"):
            writer.write(bytes((byte,)))
            await writer.drain()
        await reader.readuntil(b"POST /a in pieces")


@in_loop
async def test_the_answer_to_head_has_a_length_and_no_body() -> None:
    async with taking() as server:
        reader, writer = await server.connect()
        writer.write(message("HEAD", "/a") + GET)
        response = answers(await reader.read(), ["HEAD", "GET"])
    assert [each.header("content-length") for each in response] == [["8"], ["6"]]
    assert [each.body for each in response] == [b"", b"GET / "]


@pytest.mark.parametrize(
    ("request_", "ends"),
    [
        (GET, True),
        (message("GET", "/", [("Connection", "keep-alive")]).replace(b"/1.1", b"/1.0"), True),
        (message("GET", "/"), False),
    ],
)
def test_a_connection_ends_if_its_caller_asks_for_it(request_: bytes, ends: bool) -> None:
    @in_loop
    async def check() -> None:
        async with taking() as server:
            reader, writer = await server.connect()
            writer.write(request_)
            said = await reader.readuntil(b"GET / ")
            assert (b"connection: close" in said) is ends
            await turns(lambda: len(server.connections()) == (0 if ends else 1))

    check()


@in_loop
async def test_what_follows_a_request_that_waits_is_answered_after_it() -> None:
    async with running() as server:
        server.echo.takes = True
        reader, writer = await server.connect()
        writer.write(LATE + message("POST", "/b", (), b"2") + GET)
        connection = await server.connection()
        await turns(lambda: connection.pipeline)
        server.echo.late.pop()()
        response = answers(await reader.read())
    assert [each.body for each in response] == [b"POST /late 1", b"POST /b 2", b"GET / "]


@in_loop
async def test_the_response_to_a_caller_that_has_gone_is_dropped() -> None:
    async with taking() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.sendall(LATE)
            await turns(lambda: server.echo.late)
        await turns(lambda: not server.connections())
        server.echo.late.pop()()
        (response,) = await server.talk(GET)
    assert response.body == b"GET / "


@in_loop
async def test_a_caller_that_has_half_closed_gets_its_late_answer() -> None:
    async with taking() as server:
        reader, writer = await server.connect()
        writer.write(LATE)
        writer.write_eof()
        await turns(lambda: server.echo.late)
        server.echo.late.pop()()
        (response,) = answers(await reader.read())
    assert response.body == b"POST /late 1"


@in_loop
async def test_a_server_that_ends_answers_first_and_says_that_it_hangs_up() -> None:
    async with taking() as server:
        reader, writer = await server.connect()
        writer.write(LATE)
        await turns(lambda: server.echo.late)
        (await server.connection()).shutdown()
        server.echo.late.pop()()
        (response,) = answers(await reader.read())
    assert response.header("connection") == ["close"]


@pytest.mark.parametrize(
    "large",
    [
        message("POST", "/a", (), bytes(SMALL_BODY_BYTES + 1)),
        message("POST", "/a", [("Content-Length", "000003")], b"abc"),
        message("POST", "/a", [("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n0\r\n\r\n"),
        message("POST", "/a", [("Connection", "upgrade"), ("Upgrade", "h2c")], b"abc"),
    ],
)
def test_large_or_unusual_requests_go_through_asgi(large: bytes) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            server.echo.takes = True
            reader, writer = await server.connect()
            writer.write(large)
            await reader.readuntil(b"POST /a ")
            assert server.echo.asked == ["/a"]

    check()


# Both ways


class Wire:
    """A transport that keeps its output."""

    def __init__(self) -> None:
        self.said = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        if not self.closed:
            self.said += data

    def close(self) -> None:
        self.closed = True

    write_eof = close

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def pause_reading(self) -> None:
        """What is written to it comes nevertheless."""

    def resume_reading(self) -> None:
        """It has never stopped."""


def said_to(pieces: list[bytes], *, takes: bool) -> bytes:
    """The output of a connection that receives these pieces."""

    async def talk() -> bytes:
        echo = Echo()
        echo.takes = takes
        server = server_for(echo)
        server.config.load()
        connection, wire = Connection(server.config, server.server_state, {}), Wire()
        connection.connection_made(wire)
        for piece in pieces:
            connection.data_received(piece)
            for _ in range(10):
                await asyncio.sleep(0)
        connection.connection_lost(None)
        await asyncio.gather(*server.server_state.tasks)
        return wire.said

    return asyncio.run(talk())


_HEADERS = st.sampled_from([
    "Connection: close",
    "Connection: keep-alive",
    "Content-Length: 3",
    "Content-Length: 03",
    "Content-Length: 0",
    "Content-Length: -3",
    "Content-Length: 3, 3",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Expect: 100-continue",
    "Upgrade: h2c",
    "X: \xe4",
    " folded",
    "X : y",
])  # fmt: skip
_REQUESTS = st.builds(
    lambda method, target, version, headers, body: (
        "\r\n".join([f"{method} {target} HTTP/{version}", *headers, "", ""]) + body
    ).encode("latin-1"),
    st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "get"]),
    st.sampled_from(["/a", "/a%20b%2Fc?d=%20", "//", "*", "http://here/a", "/\xe4", "a", "/a#b"]),
    st.sampled_from(["1.1", "1.1", "1.1", "1.0", "2.0"]),
    st.lists(_HEADERS, max_size=3),
    st.sampled_from(["", "", "abc", "3\r\nabc\r\n0\r\n\r\n", "\r\n", "GET /b HTTP/1.1\r\n\r\n"]),
)


@given(st.lists(_REQUESTS, min_size=1, max_size=4), st.lists(st.integers(0, 200), max_size=6))
def test_the_fast_path_responds_as_asgi_does(requests: list[bytes], cuts: list[int]) -> None:
    data = b"".join(requests)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in itertools.pairwise(ends)]
    assert said_to(pieces, takes=True) == said_to(pieces, takes=False)
