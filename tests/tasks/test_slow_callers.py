"""The HTTP server against callers that are slow to send or to read."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from engine.tasks.front.connection import (
    KEEP_ALIVE_SECONDS,
    LINGER_SECONDS,
    REQUEST_SECONDS,
    UNREAD_ANSWER_SECONDS,
    Connection,
)
from engine.tasks.front.http_server import STALLED_SECONDS
from tests.tasks.echoing import GET, Pieces, running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message


@pytest.mark.parametrize(
    "begun", [b"G", GET[:-3], message("POST", "/a", [("Content-Length", "10")]) + b"abc"]
)
def test_a_stalled_request_is_refused(begun: bytes) -> None:
    @in_loop
    async def check() -> None:
        async with running(clock_stands=True) as server:
            reader, writer = await server.connect()
            writer.write(begun)
            connection = await server.connection()
            await turns(lambda: not connection.is_idle)
            await server.later(REQUEST_SECONDS - 1)
            assert not connection.transport.is_closing()
            await server.later(REQUEST_SECONDS + 1)
            (response,) = answers(await reader.read())
        assert response.status == 408
        assert response.json["reason"] == "it was incomplete after 20 seconds"

    check()


@in_loop
async def test_a_connection_without_a_request_is_closed_silently() -> None:
    async with running(clock_stands=True) as server:
        reader, _ = await server.connect()
        await server.later(REQUEST_SECONDS + 1)
        assert await reader.read() == b""


@in_loop
async def test_a_connection_that_waits_for_its_next_request_is_ended_in_time() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/a"))
        await reader.readuntil(b"GET /a ")
        await server.later(KEEP_ALIVE_SECONDS - 1)
        writer.write(message("GET", "/b"))
        await reader.readuntil(b"GET /b ")
        await server.later(KEEP_ALIVE_SECONDS + 1)
        assert await reader.read() == b""


@in_loop
async def test_line_breaks_between_requests_do_not_keep_a_connection() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/a"))
        await reader.readuntil(b"GET /a ")
        writer.write(b"\r\n")
        connection = await server.connection()
        await turns(lambda: connection._reading_since is not None)
        await server.later(REQUEST_SECONDS + 1)
        assert await reader.read() == b""


@in_loop
async def test_a_body_that_comes_fast_enough_may_take_long() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect()
        body = bytes(1_000_000)
        writer.write(message("POST", "/a", [("Content-Length", "1000001")]) + body)
        await turns(lambda: server.server.held == len(body))
        await server.later(REQUEST_SECONDS - 1)
        writer.write(b"x")
        assert (await reader.readuntil(b"POST /a "))[9:12] == b"200"


@in_loop
async def test_a_request_that_waited_for_its_turn_is_not_too_slow() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect()
        begun = message("POST", "/a", [("Content-Length", "10")])
        writer.write(message("GET", "/late") + begun)
        await turns(lambda: len(server.echo.asked) == 2)
        await server.later(10 * REQUEST_SECONDS)
        await server.let_go()
        await reader.readuntil(b"GET /late ")
        await server.later(1)
        writer.write(b"0123456789")
        assert (await reader.readuntil(b"POST /a "))[9:12] == b"200"


@in_loop
async def test_an_answer_may_take_as_long_as_it_likes() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late"))
        await turns(lambda: server.echo.late)
        await server.later(1000 * REQUEST_SECONDS)
        await server.let_go()
        assert (await reader.readuntil(b"GET /late "))[9:12] == b"200"


@in_loop
async def test_a_caller_that_does_not_read_its_response_is_cut_off() -> None:
    async with running(clock_stands=True) as server:
        _, writer = await server.connect(limit=1000)
        writer.write(message("GET", "/large"))
        connection = await server.connection()
        await turns(lambda: connection.transport.get_write_buffer_size() > 1_000_000)
        await server.later(0)
        await server.later(0)
        await server.later(UNREAD_ANSWER_SECONDS - 1)
        assert server.connections()
        await server.later(2 * UNREAD_ANSWER_SECONDS)
        await server.later(4 * UNREAD_ANSWER_SECONDS)
        await turns(lambda: not server.connections())


# Responses in pieces


@in_loop
async def test_a_response_in_pieces_is_chunked() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/pieces") + GET)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"transfer-encoding: chunked\r\n" in head
        assert await reader.readuntil(b"one\r\n") == b"3\r\none\r\n"
        server.echo.gate.set()
        assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"
        assert answers(await reader.read())[0].body == b"GET / "
    assert server.echo.sent == [(200, 6), (200, 6)]
    assert server.echo.pieces.closed


@in_loop
async def test_to_http_1_0_the_pieces_end_with_the_connection() -> None:
    async with running(clock_stands=True) as server:
        server.echo.gate.set()
        reader, writer = await server.connect()
        writer.write(b"GET /pieces HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"connection: close\r\n\r\nonetwo")


@in_loop
async def test_the_pieces_end_when_the_caller_hangs_up() -> None:
    async with running(clock_stands=True) as server:
        server.echo.pieces = pieces = Endless([], server.echo.gate)
        reader, writer = await server.connect()
        writer.write(message("GET", "/pieces"))
        await reader.readuntil(b"x")
        writer.close()
        await turns(lambda: pieces.closed)
    ((status, size),) = server.echo.sent
    assert status == 200
    assert size > 0


# Responses that nobody reads


@in_loop
async def test_callers_that_read_nothing_are_cut_off_when_they_hold_too_much() -> None:
    async with running(clock_stands=True) as server:
        pressure: list[bool] = []
        server.server.on_pressure = pressure.append
        server.server.max_unsent = 20_000_000
        now = server.server.now
        for _ in range(3):
            _, writer = await server.connect(limit=1000)
            writer.write(message("GET", "/large"))
        await turns(lambda: pressure)
        assert len(server.connections()) == 3
        server.server.now = lambda: now() + STALLED_SECONDS
        await turns(lambda: len(pressure) == 2)
        assert pressure == [True, False]
        assert len(server.connections()) < 3
        (response,) = await server.talk(GET)
    assert response.status == 200


class Endless(Pieces):
    async def __anext__(self) -> bytes:
        await asyncio.sleep(0.001)
        return b"x"


def _has_less_to_send(connection: Connection, than: int) -> bool:
    return connection.transport.get_write_buffer_size() < than or not than


@in_loop
async def test_a_caller_that_reads_slowly_is_not_idle() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect(limit=1000)
        writer.write(message("GET", "/large"))
        connection = await server.connection()
        await turns(lambda: connection.transport.get_write_buffer_size() > 1_000_000)
        began = server.server.now()
        for looks in range(1, 4):  # the system holds the rest
            left = connection.transport.get_write_buffer_size()
            await reader.readexactly(3_000_000)
            await turns(partial(_has_less_to_send, connection, left))
            server.server.now = partial(float, began + 50 * looks)  # for its own looks, too
            connection.check_time(server.server.now())
        assert not connection.transport.is_closing()


@in_loop
async def test_lingering_ends() -> None:
    async with running(clock_stands=True) as server:
        reader, writer = await server.connect()
        writer.write(b"NONSENSE\r\n\r\n")
        assert answers(await reader.read())[0].status == 400
        await server.later(LINGER_SECONDS - 1)
        assert server.connections()
        await server.later(LINGER_SECONDS + 1)
        await turns(lambda: not server.connections())


@in_loop
async def test_a_body_that_nobody_wants_leaves_the_connection_usable() -> None:
    async with running(clock_stands=True) as server:
        response = await server.talk(message("POST", "/refused", (), bytes(2_000_000)) + GET)
    assert [each.body for each in response] == [b"POST /refused ", b"GET / "]
