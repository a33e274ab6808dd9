"""The HTTP server against callers that are slow, or have half-closed."""

from __future__ import annotations

import gc
import socket
import struct
import weakref
from functools import partial

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from engine.tasks.front.connection import (
    KEEP_ALIVE_SECONDS,
    LINGER_SECONDS,
    MAX_PIPELINED,
    REQUEST_SECONDS,
    UNREAD_ANSWER_SECONDS,
    Connection,
)
from tests.tasks.echoing import GET, running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message


def _cycle(connection: Connection) -> RequestResponseCycle:
    cycle = connection.cycle
    assert isinstance(cycle, RequestResponseCycle)
    return cycle


@pytest.mark.parametrize(
    "begun", [b"G", GET[:-3], message("POST", "/a", [("Content-Length", "10")]) + b"abc"]
)
def test_a_stalled_request_is_refused(begun: bytes) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            reader, writer = await server.connect()
            writer.write(begun)
            connection = await server.connection()
            await turns(lambda: connection._came == len(begun))
            await server.later(REQUEST_SECONDS - 1)
            assert not connection.transport.is_closing()
            await server.later(REQUEST_SECONDS + 1)
            (response,) = answers(await reader.read())
        assert response.status == 408
        assert response.json["reason"] == "it was incomplete after 20 seconds"

    check()


@in_loop
async def test_a_connection_without_a_request_is_closed_silently() -> None:
    async with running() as server:
        reader, _ = await server.connect()
        await server.later(REQUEST_SECONDS + 1)
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
        await server.later(REQUEST_SECONDS + 1)
        assert await reader.read() == b""


@in_loop
async def test_a_body_that_comes_fast_enough_may_take_long() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        body = bytes(1_000_000)
        writer.write(message("POST", "/a", [("Content-Length", "1000001")]) + body)
        connection = await server.connection()
        await turns(lambda: server.echo.asked and not _cycle(connection).body)
        await server.later(REQUEST_SECONDS - 1)
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
        await server.later(10 * REQUEST_SECONDS)
        began = connection._reading_since
        assert began is not None
        connection._reading_since = began - 10 * REQUEST_SECONDS
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
        await server.later(1000 * REQUEST_SECONDS)
        server.echo.gate.set()
        assert (await reader.readuntil(b"GET /wait "))[9:12] == b"200"


@in_loop
async def test_a_caller_that_does_not_read_its_response_is_cut_off() -> None:
    async with running() as server:
        _, writer = await server.connect(limit=1000)
        writer.write(message("GET", "/large"))
        connection = await server.connection()
        await turns(lambda: connection.transport.get_write_buffer_size() > 1_000_000)
        await turns(lambda: _cycle(connection).response_started)
        await server.later(0)
        await server.later(0)
        await server.later(UNREAD_ANSWER_SECONDS - 1)
        assert server.connections()
        await server.later(2 * UNREAD_ANSWER_SECONDS)
        await server.later(4 * UNREAD_ANSWER_SECONDS)
        await turns(lambda: not server.connections())


# Callers that have half-closed


@in_loop
async def test_a_caller_that_has_said_all_and_half_closed_gets_its_answers() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/wait") + message("GET", "/b"))
        writer.write_eof()
        await turns(lambda: server.echo.asked)
        server.echo.gate.set()
        response = answers(await reader.read())
    assert [each.body for each in response] == [b"GET /wait ", b"GET /b "]


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
        (response,) = await server.talk(GET)
    assert response.status == 200


@pytest.mark.parametrize("takes", [True, False])
def test_a_closed_connection_leaves_no_garbage(takes: bool) -> None:
    """Garbage is collected rarely, and thousands of connections may come and go before."""

    @in_loop
    async def check() -> None:
        async with running() as server:
            server.echo.takes = takes
            reader, writer = await server.connect()
            writer.write(message("GET", "/a") + message("GET", "/b"))
            connection = weakref.ref(await server.connection())
            await reader.readuntil(b"GET /b ")
            gc.disable()
            try:
                writer.close()
                await turns(lambda: connection() is None)
            finally:
                gc.enable()

    check()


@in_loop
async def test_a_caller_that_is_still_sending_can_read_the_final_response() -> None:
    async with running() as server:
        length = 30_000_000
        head = message("POST", "/unread/refused", [("Content-Length", str(length))])
        (response,) = await server.talk(head + bytes(length))
        assert response.body == b"POST /unread/refused "
        await turns(lambda: not server.connections())


@in_loop
async def test_hundreds_of_requests_that_wait_for_their_turn_are_answered() -> None:
    async with running() as server:
        server.echo.takes = True
        reader, writer = await server.connect()
        writer.write(message("GET", "/wait") + 998 * message("GET", "/taken") + GET)
        await turns(lambda: server.echo.asked)
        server.echo.gate.set()
        response = answers(await reader.read())
    assert [each.body for each in response] == [b"GET /wait ", *(998 * [b"GET /taken "]), b"GET / "]


@in_loop
async def test_requests_without_end_that_wait_for_their_turn_are_refused() -> None:
    async with running() as server:
        server.echo.takes = True
        reader, writer = await server.connect()
        writer.write(message("GET", "/wait") + (MAX_PIPELINED + 10) * message("GET", "/taken"))
        connection = await server.connection()
        await turns(lambda: connection._refusal is not None)
        server.echo.gate.set()
        response = answers(await reader.read())
    assert [each.status for each in response] == [200] * (MAX_PIPELINED + 1) + [503]
    assert response[-1].json["error"] == "too many requests are waiting on this connection"


@in_loop
async def test_no_more_is_read_while_requests_wait_for_their_turn() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/wait") + 5 * message("GET", "/a"))
        connection = await server.connection()
        await turns(lambda: len(connection.pipeline) == 5)
        connection.flow.resume_reading()
        assert connection.flow.read_paused
        writer.write(message("GET", "/b"))
        server.echo.gate.set()
        await reader.readuntil(b"GET /b ")
        assert not connection.flow.read_paused


@in_loop
async def test_a_request_in_work_learns_that_its_caller_has_gone() -> None:
    async with running() as server:
        _, writer = await server.connect()
        writer.write(message("GET", "/wait") + GET)
        connection = await server.connection()
        await turns(lambda: connection.pipeline)
        cycle = connection._running
        connection.transport.abort()
        await turns(lambda: not server.connections())
        assert cycle is not None
        assert cycle.disconnected


def _has_less_to_send(connection: Connection, than: int) -> bool:
    return bool(connection.transport.get_write_buffer_size() < than)


@in_loop
async def test_a_caller_that_reads_slowly_is_not_idle() -> None:
    async with running() as server:
        reader, writer = await server.connect(limit=1000)
        writer.write(message("GET", "/large"))
        connection = await server.connection()
        await turns(lambda: connection.transport.get_write_buffer_size() > 1_000_000)
        await turns(lambda: _cycle(connection).response_complete)
        began = connection.loop.time()
        for looks in range(1, 6):
            left = connection.transport.get_write_buffer_size()
            await reader.readexactly(3_000_000)
            await turns(partial(_has_less_to_send, connection, left))
            connection.end_if_too_slow(began + 50 * looks)
        assert not connection.transport.is_closing()


@in_loop
async def test_lingering_ends() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(b"NONSENSE\r\n\r\n")
        assert answers(await reader.read())[0].status == 400
        await server.later(LINGER_SECONDS - 1)
        assert server.connections()
        await server.later(LINGER_SECONDS + 1)
        await turns(lambda: not server.connections())


@in_loop
async def test_a_body_that_nobody_wants_leaves_the_connection_usable() -> None:
    async with running() as server:
        response = await server.talk(message("POST", "/unread", (), bytes(2_000_000)) + GET)
    assert [each.body for each in response] == [b"POST /unread ", b"GET / "]
