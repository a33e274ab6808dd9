"""An HTTP server that is draining: what has arrived is answered, then nothing more is taken."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from engine.tasks.front import connection as connection_module
from engine.tasks.front import http_server
from engine.tasks.front.connection import CROSSING_SECONDS, KEEP_ALIVE_SECONDS
from engine.tasks.front.peers import is_readable
from tests.tasks.echoing import running
from tests.tasks.hosting import in_each_loop, in_loop, turns
from tests.tasks.wire import CLOSE, answers, message


@in_loop
async def test_a_draining_server_answers_first_and_says_that_it_hangs_up() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late"))
        await turns(lambda: server.echo.late)
        await server.server.drain()
        await server.let_go()
        (response,) = answers(await reader.read())
    assert response.header("connection") == ["close"]


@in_loop
async def test_a_draining_server_answers_what_has_arrived_and_new_callers() -> None:
    async with running() as server:
        idle, _ = await server.connect()
        kept, writer = await server.connect()
        writer.write(message("GET", "/a"))
        await kept.readuntil(b"GET /a ")
        draining = asyncio.create_task(server.server.drain())
        await turns(lambda: server.server.draining)
        writer.write(message("GET", "/late") + message("GET", "/c"))
        await server.let_go()
        response = answers(await kept.read())
        assert [each.body for each in response] == [b"GET /late ", b"GET /c "]
        assert [each.header("connection") for each in response] == [[], ["close"]]
        assert (await server.talk(message("GET", "/d")))[0].header("connection") == ["close"]
        await draining
        assert await idle.read() == b""


@in_loop
async def test_what_has_arrived_when_idle_connections_are_closed_is_answered() -> None:
    async with running() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as caller:
            await server.connection()
            caller.sendall(message("GET", "/last"))
            await server.server.drain(0)
            (response,) = answers(await asyncio.to_thread(everything, caller))
    assert response.body == b"GET /last "
    assert response.header("connection") == ["close"]


@in_loop
async def test_a_caller_that_has_connected_when_the_server_stops_listening_is_answered() -> None:
    async with running() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as caller:
            caller.sendall(message("GET", "/last"))
            await server.server.drain(0)
            (response,) = answers(await asyncio.to_thread(everything, caller))
    assert response.body == b"GET /last "


@in_loop
async def test_a_request_that_has_begun_may_arrive_while_the_server_drains() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        begun = message("POST", "/begun", (), b"12")
        writer.write(begun[:-1])
        await turns(lambda: server.echo.asked)
        draining = asyncio.create_task(server.server.drain(1000))
        await turns(lambda: server.server.draining)
        assert not draining.done()
        writer.write(begun[-1:])
        (response,) = answers(await reader.read())
        await draining
    assert response.body == b"POST /begun 12"
    assert response.header("connection") == ["close"]


@pytest.mark.parametrize("begun", [b"POST / HT", message("POST", "/", (), b"12")[:-1]])
def test_a_request_that_is_not_complete_when_the_server_ends_is_refused(begun: bytes) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            reader, writer = await server.connect()
            writer.write(begun)
            connection = await server.connection()
            await turns(lambda: connection.is_reading)
            await server.server.drain(0)
            (response,) = answers(await reader.read())
        assert (response.status, response.json["error"]) == (503, "the server is shutting down")
        assert response.header("connection") == ["close"]

    check()


@in_loop
async def test_with_a_delay_new_callers_are_answered_even_if_nobody_is_connected() -> None:
    async with running() as server:
        draining = asyncio.create_task(server.server.drain(delay=1000))
        await turns(lambda: server.server.draining)
        for path in ("/a", "/b"):
            (response,) = await server.talk(message("GET", path))
            assert response.header("connection") == ["close"]
        assert not draining.done()
        draining.cancel()


# Requests that cross with the end of their connection


@in_each_loop
async def test_a_request_that_crosses_with_the_end_sees_the_end_and_is_not_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as caller:
            await server.connection()
            crossing = after_looking(lambda: caller.sendall(message("GET", "/crossing")))
            monkeypatch.setattr(http_server, "is_readable", crossing)
            await server.server.drain(0)
            assert await asyncio.to_thread(everything, caller) == b""
            caller.sendall(message("GET", "/another"))
            assert caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        await turns(lambda: not server.connections())
        assert server.echo.asked == []


@in_each_loop
async def test_a_request_that_crosses_with_the_end_of_keep_alive_is_not_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as caller:
            connection = await server.connection()
            crossing = after_looking(lambda: caller.sendall(message("GET", "/crossing")))
            monkeypatch.setattr(connection_module, "is_readable", crossing)
            connection.check_time(server.server.now() + KEEP_ALIVE_SECONDS)
            assert await asyncio.to_thread(everything, caller) == b""
        assert server.echo.asked == []


@in_each_loop
async def test_a_request_that_has_arrived_when_keep_alive_ends_is_answered() -> None:
    async with running() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as caller:
            connection = await server.connection()
            caller.sendall(message("GET", "/last", [CLOSE]))
            connection.check_time(server.server.now() + KEEP_ALIVE_SECONDS)
            (response,) = answers(await asyncio.to_thread(everything, caller))
    assert response.body == b"GET /last "


@in_each_loop
async def test_a_caller_that_asks_again_does_not_lose_its_last_response() -> None:
    async with running() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as caller:
            caller.sendall(message("GET", "/large"))
            server.server.draining = True
            await turns(lambda: server.echo.sent)
            caller.sendall(message("POST", "/again", (), bytes(200_000)))
            (response,) = answers(await asyncio.to_thread(everything, caller))
        assert server.echo.asked == ["/large"]
    assert response.header("connection") == ["close"]
    assert response.body[:11] == b"GET /large "
    assert len(response.body) == 11 + 20_000_000


@in_each_loop
async def test_a_caller_that_was_served_a_moment_ago_is_waited_for() -> None:
    async with running() as server:
        unused, _ = await server.connect()
        reader, writer = await server.connect()
        writer.write(message("GET", "/a"))
        await reader.readuntil(b"GET /a ")
        draining = asyncio.create_task(server.server.drain(0, recent=1000))
        assert await unused.read() == b""
        assert not draining.done()
        writer.write(message("GET", "/b"))
        (response,) = answers(await reader.read())
        writer.close()
        await draining
    assert response.body == b"GET /b "
    assert response.header("connection") == ["close"]


@in_each_loop
async def test_a_caller_that_leaves_its_connection_open_is_not_waited_for() -> None:
    async with running() as server:
        reader, _ = await server.connect()
        connection = await server.connection()
        await server.server.drain(0)
        assert await reader.read() == b""
        assert connection.lingers
        connection.check_time(server.server.now() + CROSSING_SECONDS)
        await turns(lambda: not server.connections())


def after_looking(then: Callable[[], None]) -> Callable[[Any], bool]:
    """Look whether something has arrived; then something does."""

    def look(transport: Any) -> bool:
        found = is_readable(transport)
        then()
        return found

    return look


def everything(caller: socket.socket) -> bytes:
    parts = []
    while part := caller.recv(65536):
        parts.append(part)
    return b"".join(parts)
