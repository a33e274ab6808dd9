"""The HTTP server against callers that half-close their connection, or hang up."""

from __future__ import annotations

import socket
import struct

import pytest

from tests.tasks.echoing import GET, running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message


@in_loop
async def test_a_caller_that_has_said_all_and_half_closed_gets_its_answers() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late"))
        writer.write_eof()
        interim = await reader.readuntil(b"\r\n\r\n")
        assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"  # who has gone would reset now
        await server.let_go()
        (response,) = answers(await reader.read())
    assert response.body == b"GET /late "
    assert server.echo.withdrawn == []


@in_loop
async def test_all_requests_before_the_half_close_are_answered() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late") + message("GET", "/b"))
        writer.write_eof()
        await server.let_go()
        response = answers(await reader.read())
    assert [each.body for each in response] == [b"GET /late ", b"GET /b "]


@in_loop
async def test_a_caller_of_http_1_0_that_has_half_closed_gets_its_answer_alone() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /late HTTP/1.0\r\n\r\n")
        writer.write_eof()
        await server.let_go()
        (response,) = answers(await reader.read())
    assert response.status == 200


@in_loop
async def test_the_request_of_a_caller_that_hangs_up_is_withdrawn() -> None:
    async with running() as server:
        _, writer = await server.connect()
        writer.write(message("GET", "/late"))
        await turns(lambda: server.echo.late)
        writer.close()
        await turns(lambda: server.echo.withdrawn)
        assert server.echo.withdrawn == ["/late"]
        await turns(lambda: not server.connections())
        await server.let_go()
    assert server.echo.sent == []


@pytest.mark.parametrize("resets", [False, True])
def test_requests_of_a_caller_that_hangs_up_while_others_wait_their_turn_are_withdrawn(
    resets: bool,
) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            _, writer = await server.connect()
            writer.write(message("GET", "/late") + message("GET", "/b") + message("GET", "/c"))
            await turns(lambda: server.server.paused)
            if resets:
                writer.transport.abort()
            else:
                writer.close()
            await turns(lambda: server.echo.withdrawn)
            await turns(lambda: not server.connections())
            assert server.echo.withdrawn == ["/late"]
            assert not server.server.paused

    check()


@in_loop
async def test_requests_before_a_half_close_are_answered_though_others_wait_their_turn() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late") + message("GET", "/b"))
        await turns(lambda: server.server.paused)
        writer.write(message("GET", "/c"))
        writer.write_eof()
        await turns(lambda: not server.server.paused)
        await server.let_go()
        response = answers(await reader.read())
    assert [each.body for each in response if each.status == 200] == [
        b"GET /late ",
        b"GET /b ",
        b"GET /c ",
    ]


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
            caller.sendall(message("GET", "/late") + GET[:10])
            await turns(lambda: server.echo.asked)
        await turns(lambda: not server.connections())
        (response,) = await server.talk(GET)
    assert response.status == 200
