"""An HTTP server that is draining: what has arrived is answered, then nothing more is taken."""

from __future__ import annotations

import asyncio
import socket

from tests.tasks.echoing import running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message


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
        draining = asyncio.create_task(server.server.drain(40))
        await turns(lambda: server.server.draining)
        assert not draining.done()
        writer.write(begun[-1:])
        (response,) = answers(await reader.read())
        await draining
    assert response.body == b"POST /begun 12"
    assert response.header("connection") == ["close"]


@in_loop
async def test_with_a_delay_new_callers_are_answered_even_if_nobody_is_connected() -> None:
    async with running() as server:
        draining = asyncio.create_task(server.server.drain(delay=60))
        await turns(lambda: server.server.draining)
        for path in ("/a", "/b"):
            (response,) = await server.talk(message("GET", path))
            assert response.header("connection") == ["close"]
        assert not draining.done()
        draining.cancel()


def everything(caller: socket.socket) -> bytes:
    parts = []
    while part := caller.recv(65536):
        parts.append(part)
    return b"".join(parts)
