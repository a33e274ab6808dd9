"""The HTTP server against bodies that are too large, and streams whose readers have gone."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from engine.tasks.front.http_server import HttpServer
from tests.tasks.echoing import LIMIT, Echo, running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import message


@in_loop
async def test_a_body_beyond_its_limit_is_refused_before_it_is_there() -> None:
    async with running() as server:
        announced = message("POST", "/a", [("Content-Length", str(LIMIT + 1))])
        assert (await server.talk(announced))[0].status == 413


@in_loop
async def test_bodies_that_are_too_much_together_are_refused_until_others_are_done() -> None:
    async with running() as server:
        server.server.max_incoming = 150
        begun = message("POST", "/a", [("Content-Length", "100")])
        first, writer = await server.connect()
        writer.write(begun + bytes(90))
        await turns(lambda: server.server.held == 90)
        (response,) = await server.talk(begun + bytes(90))
        assert response.status == 503
        writer.write(bytes(10))
        await first.readuntil(b"POST /a ")
        assert server.server.held == 0
        writer.write(begun + bytes(90))
        await turns(lambda: server.server.held == 90)
        writer.close()
        await turns(lambda: server.server.held == 0)


@in_loop
async def test_a_stream_ends_when_its_reader_on_a_unix_socket_has_gone(tmp_path: Path) -> None:
    """Nothing is written meanwhile that could show it."""
    echo, path = Echo(), tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.setblocking(False)
        server = HttpServer(echo, 10)
        await server.start(listener)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(message("GET", "/pieces"))
        assert b"one" in await reader.readuntil(b"one\r\n")
        writer.close()
        await turns(lambda: echo.pieces.closed)
        await turns(lambda: not server.connections)
        server.stop_listening()
        await server.closed(0)
