"""Small requests that are answered without ASGI, as those to ultra tasks are."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.tasks.web.connection import SMALL
from tests.tasks.echoing import GET, Running, running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message

LATE = message("POST", "/late", (), b"1")


@asynccontextmanager
async def taking() -> AsyncIterator[Running]:
    async with running() as server:
        server.echo.takes = True
        yield server
        assert server.echo.asked == []  # nothing has come by way of ASGI


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
        told = answers(await reader.read(), ["HEAD", "GET"])
    assert [each.header("content-length") for each in told] == [["8"], ["6"]]
    assert [each.body for each in told] == [b"", b"GET / "]


@pytest.mark.parametrize(
    ("request_", "ends"),
    [
        (GET, True),
        (GET.replace(b"HTTP/1.1", b"HTTP/1.0"), True),
        (message("GET", "/"), False),
    ],
)
def test_a_connection_ends_as_its_caller_wishes(request_: bytes, ends: bool) -> None:
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
        told = answers(await reader.read())
    assert [each.body for each in told] == [b"POST /late 1", b"POST /b 2", b"GET / "]


@in_loop
async def test_the_answer_to_a_caller_that_has_gone_is_nobodys() -> None:
    async with taking() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.sendall(LATE)
            await turns(lambda: server.echo.late)
        await turns(lambda: not server.connections())
        server.echo.late.pop()()
        (told,) = await server.talk(GET)
    assert told.body == b"GET / "


@in_loop
async def test_a_caller_that_has_half_closed_gets_its_late_answer() -> None:
    async with taking() as server:
        reader, writer = await server.connect()
        writer.write(LATE)
        writer.write_eof()
        await turns(lambda: server.echo.late)
        server.echo.late.pop()()
        (told,) = answers(await reader.read())
    assert told.body == b"POST /late 1"


@in_loop
async def test_a_server_that_ends_answers_first_and_says_that_it_hangs_up() -> None:
    async with taking() as server:
        reader, writer = await server.connect()
        writer.write(LATE)
        await turns(lambda: server.echo.late)
        (await server.connection()).shutdown()
        server.echo.late.pop()()
        (told,) = answers(await reader.read())
    assert told.header("connection") == ["close"]


@pytest.mark.parametrize(
    "large",
    [
        message("POST", "/a", (), bytes(SMALL + 1)),
        message("POST", "/a", [("Content-Length", "000003")], b"abc"),
        message("POST", "/a", [("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n0\r\n\r\n"),
        message("POST", "/a", [("Connection", "upgrade"), ("Upgrade", "h2c")], b"abc"),
    ],
)
def test_what_is_large_or_unusual_goes_by_asgi(large: bytes) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            server.echo.takes = True
            reader, writer = await server.connect()
            writer.write(large)
            await reader.readuntil(b"POST /a ")
            assert server.echo.asked == ["/a"]

    check()
