"""https: connections from the handshake to the end, with callers that are slow, many or gone."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop

from engine.tasks.front import http_server
from engine.tasks.front.http_server import HttpServer
from engine.tasks.front.listening import listen
from engine.tasks.front.places import MAX_SURPLUS
from engine.tasks.front.tls import ServerTls
from tests.tasks.certificates import Made, make, tls_files
from tests.tasks.echoing import Echo
from tests.tasks.hosting import SECONDS, in_each_loop, in_loop, turns
from tests.tasks.wire import CLOSE, answers, everything, message


class Secured:
    """An echo behind TLS."""

    def __init__(self, made: Made, server: HttpServer, echo: Echo, address: Any) -> None:
        self.server = server
        self.echo = echo
        self.address = address
        self.trusted = ssl.create_default_context(cafile=str(made.certificate))
        self.connect = partial(socket.create_connection, address, timeout=30)

    @property
    def handshakes(self) -> int:
        return len(self.server.places.handshakes)

    def half_a_hello(self) -> bytes:
        """As much of a ClientHello as leaves the server waiting for the rest."""
        sent = ssl.MemoryBIO()
        caller = self.trusted.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
        with suppress(ssl.SSLWantReadError):
            caller.do_handshake()
        return sent.read()[:100]

    def open(self) -> ssl.SSLSocket:
        """A connection after its handshake; an end without notice is an error to it."""
        return self.trusted.wrap_socket(
            self.connect(), server_hostname="localhost", suppress_ragged_eofs=False
        )

    def ask(self) -> int:
        with self.open() as caller:
            caller.sendall(message("GET", "/", [CLOSE]))
            (answer,) = answers(everything(caller))
        return answer.status


@asynccontextmanager
async def secured(folder: Path, max_connections: int | None = None) -> AsyncIterator[Secured]:
    made = make(folder, "server")
    echo = Echo()
    server = HttpServer(echo, max_connections)
    listener = listen("127.0.0.1", 0)
    address = listener.getsockname()
    await server.start(listener, ServerTls(tls_files(made)).context)
    try:
        yield Secured(made, server, echo, address)
    finally:
        server.stop_listening()
        await server.closed(0)


def wait_for_the_end(caller: socket.socket) -> None:
    """Fail if it says anything; it resets if what was sent to it has not been read."""
    with suppress(ConnectionResetError):
        assert caller.recv(1000) == b""


@in_each_loop
async def test_handshakes_in_progress_take_the_places_of_connections(tmp_path: Path) -> None:
    async with secured(tmp_path, max_connections=4) as here:
        assert here.server.acceptor is not None
        here.server.acceptor.handshake_seconds = 1000
        with ExitStack() as callers:
            silent = [callers.enter_context(here.connect()) for _ in range(4)]
            for each in silent[2:]:
                each.sendall(here.half_a_hello())
            await turns(lambda: here.handshakes == 4)
            assert await asyncio.to_thread(here.ask) == 503
            await turns(lambda: not here.server.connections)
            for _ in range(MAX_SURPLUS):
                callers.enter_context(here.connect())
            await turns(lambda: here.handshakes == 4 + MAX_SURPLUS)
            with here.connect() as refused:
                assert await asyncio.to_thread(refused.recv, 1) == b""
            assert here.handshakes == 4 + MAX_SURPLUS
        await turns(lambda: here.handshakes == 0)
        assert await asyncio.to_thread(here.ask) == 200


@in_each_loop
async def test_a_handshake_that_takes_too_long_is_broken_off(tmp_path: Path) -> None:
    async with secured(tmp_path) as here:
        assert here.server.acceptor is not None
        here.server.acceptor.handshake_seconds = 0.05
        with here.connect() as silent, here.connect() as slow:
            slow.sendall(here.half_a_hello())
            for each in (silent, slow):
                await asyncio.to_thread(wait_for_the_end, each)
        here.server.acceptor.handshake_seconds = 60
        assert await asyncio.to_thread(here.ask) == 200
        await turns(lambda: here.handshakes == 0)


@in_each_loop
async def test_a_server_that_ends_waits_for_no_handshake(tmp_path: Path) -> None:
    async with secured(tmp_path) as here:
        with here.connect() as begun:
            begun.sendall(here.half_a_hello())
            await turns(lambda: here.handshakes == 1)
            with here.connect() as waiting:
                await here.server.drain(0)
                for each in (begun, waiting):
                    await asyncio.to_thread(wait_for_the_end, each)
        await turns(lambda: here.handshakes == 0)


@in_each_loop
async def test_a_server_that_ends_lets_handshakes_finish(tmp_path: Path) -> None:
    async with secured(tmp_path) as here:
        with here.connect() as begun:
            await turns(lambda: here.handshakes == 1)
            draining = asyncio.create_task(here.server.drain(1000))
            await turns(lambda: here.server.draining)

            def ask() -> bytes:
                with here.trusted.wrap_socket(begun, server_hostname="localhost") as caller:
                    caller.sendall(message("GET", "/a"))
                    return everything(caller)

            (response,) = answers(await asyncio.to_thread(ask))
            await draining
    assert response.header("connection") == ["close"]


@in_each_loop
async def test_a_request_that_crosses_with_the_end_sees_the_end_and_is_not_reset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with secured(tmp_path) as here:
        with await asyncio.to_thread(here.open) as caller:
            await turns(lambda: here.server.connections)

            def crossing(transport: Any) -> bool:
                caller.sendall(message("GET", "/crossing"))
                return False

            monkeypatch.setattr(http_server, "is_readable", crossing)
            await here.server.drain(0)
            assert await asyncio.to_thread(everything, caller) == b""
        assert here.echo.asked == []


def test_a_caller_that_asks_again_does_not_lose_its_last_response(tmp_path: Path) -> None:
    """On the server's loop: that of the standard library does not read while it closes."""

    async def check() -> None:
        async with asyncio.timeout(SECONDS), secured(tmp_path) as here:
            with await asyncio.to_thread(here.open) as caller:
                caller.sendall(message("GET", "/large"))
                here.server.draining = True
                await turns(lambda: here.echo.sent)
                caller.sendall(message("POST", "/again", (), bytes(200_000)))
                (response,) = answers(await asyncio.to_thread(everything, caller))
            assert here.echo.asked == ["/large"]
            assert response.header("connection") == ["close"]
            assert len(response.body) > 20_000_000

    uvloop.run(check())


@in_loop
async def test_a_slow_reader_gets_all_of_a_response_that_ends_its_connection(
    tmp_path: Path,
) -> None:
    made = make(tmp_path, "server")
    echo = Echo()
    server = HttpServer(echo)
    listener = listen("127.0.0.1", 0)
    await server.start(listener, ServerTls(tls_files(made)).context)
    trusted = ssl.create_default_context(cafile=str(made.certificate))
    reader, writer = await asyncio.open_connection(
        *listener.getsockname(), ssl=trusted, limit=2**10
    )
    writer.write(message("GET", "/large", [CLOSE]))
    await turns(lambda: echo.sent)
    (connection,) = server.connections
    connection.check_time(server.now() + 50)
    body = b""
    while piece := await reader.read(2**16):
        body += piece
    assert len(body) > 20_000_000
    writer.close()
    await turns(lambda: not server.connections)
    server.stop_listening()
    await server.closed(0)


@in_loop
async def test_a_caller_that_does_not_confirm_the_end_is_cut_off(tmp_path: Path) -> None:
    made = make(tmp_path, "server")
    echo = Echo()
    server = HttpServer(echo)
    listener = listen("127.0.0.1", 0)
    await server.start(listener, ServerTls(tls_files(made)).context)
    trusted = ssl.create_default_context(cafile=str(made.certificate))

    def ask_and_stay() -> ssl.SSLSocket:
        connected = socket.create_connection(listener.getsockname(), timeout=30)
        caller = trusted.wrap_socket(connected, server_hostname="localhost")
        caller.sendall(message("GET", "/", [CLOSE]))
        assert caller.recv(1000)
        return caller

    with await asyncio.to_thread(ask_and_stay):
        (connection,) = server.connections
        await turns(lambda: connection.transport.is_closing())
        connection.check_time(server.now() + 10)
        assert server.connections
        connection.check_time(server.now() + 100)
        await turns(lambda: not server.connections)
    server.stop_listening()
    await server.closed(0)


@in_loop
async def test_a_refused_caller_that_does_not_confirm_the_end_keeps_its_place_for_a_moment(
    tmp_path: Path,
) -> None:
    async with secured(tmp_path, max_connections=0) as here:

        def be_refused() -> ssl.SSLSocket:
            caller = here.trusted.wrap_socket(here.connect(), server_hostname="localhost")
            assert caller.recv(12).endswith(b"503")
            return caller

        with await asyncio.to_thread(be_refused):
            (connection,) = here.server.connections
            await turns(lambda: connection.transport.is_closing())
            connection.check_time(here.server.now() + 10)
            await turns(lambda: not here.server.connections)
