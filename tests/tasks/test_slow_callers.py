"""The HTTP server against callers that are slow, or have half-closed."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import weakref
from functools import partial

import pytest

from engine.tasks.front.connection import (
    KEEP_ALIVE_SECONDS,
    LINGER_SECONDS,
    MAX_PIPELINED,
    REQUEST_SECONDS,
    UNREAD_ANSWER_SECONDS,
    Connection,
)
from engine.tasks.front.http_server import STALLED_SECONDS
from engine.tasks.front.reply import error_reply
from engine.tasks.front.submitting import Deliver
from engine.tasks.wire.messages import Request
from tests.tasks.echoing import GET, LIMIT, Pieces, running
from tests.tasks.fronted import ManualTask, fronted
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message


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
    async with running() as server:
        reader, _ = await server.connect()
        await server.later(REQUEST_SECONDS + 1)
        assert await reader.read() == b""


@in_loop
async def test_a_connection_that_waits_for_its_next_request_is_ended_in_time() -> None:
    async with running() as server:
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
    async with running() as server:
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
    async with running() as server:
        reader, writer = await server.connect()
        body = bytes(1_000_000)
        writer.write(message("POST", "/a", [("Content-Length", "1000001")]) + body)
        await turns(lambda: server.server.held == len(body))
        await server.later(REQUEST_SECONDS - 1)
        writer.write(b"x")
        assert (await reader.readuntil(b"POST /a "))[9:12] == b"200"


@in_loop
async def test_a_request_that_waited_for_its_turn_is_not_too_slow() -> None:
    async with running() as server:
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
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late"))
        await turns(lambda: server.echo.late)
        await server.later(1000 * REQUEST_SECONDS)
        await server.let_go()
        assert (await reader.readuntil(b"GET /late "))[9:12] == b"200"


@in_loop
async def test_a_caller_that_does_not_read_its_response_is_cut_off() -> None:
    async with running() as server:
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


# Callers that have half-closed


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


@in_loop
async def test_a_closed_connection_leaves_no_garbage() -> None:
    """Garbage is collected rarely, and thousands of connections may come and go before."""
    async with running() as server:
        reader, writer = await server.connect()
        server.echo.gate.set()
        writer.write(message("GET", "/a") + message("GET", "/pieces") + message("GET", "/b"))
        connection = weakref.ref(await server.connection())
        await reader.readuntil(b"GET /b ")
        gc.collect()
        gc.disable()
        try:
            writer.close()
            await turns(lambda: connection() is None)
        finally:
            gc.enable()


@in_loop
async def test_a_caller_that_is_still_sending_can_read_the_final_response() -> None:
    async with running() as server:
        (response,) = await server.talk(
            message("POST", "/a", [("Content-Length", str(LIMIT + 1))]) + bytes(30_000_000)
        )
        assert response.status == 413
        await turns(lambda: not server.connections())


@in_loop
async def test_hundreds_of_requests_that_wait_for_their_turn_are_answered() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late") + 998 * message("GET", "/a") + GET)
        await server.let_go()
        response = answers(await reader.read())
    assert [each.body for each in response] == [b"GET /late ", *(998 * [b"GET /a "]), b"GET / "]


@in_loop
async def test_requests_without_end_that_wait_for_their_turn_are_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late") + (MAX_PIPELINED + 10) * message("GET", "/a"))
        await turns(lambda: len(server.echo.asked) == MAX_PIPELINED + 1)
        await server.let_go()
        response = answers(await reader.read())
    assert [each.status for each in response] == [200] * (MAX_PIPELINED + 1) + [503]
    assert response[-1].json["error"] == "too many requests are waiting on this connection"


class Pending:
    """A request that a pool has accepted: it knows how to deliver the response."""

    accepted = given = 0.0

    def __init__(self, deliver: Deliver) -> None:
        self.deliver = deliver


class RefusingTask(ManualTask):
    """Refuses its requests at once, and keeps nothing of them."""

    def __init__(self) -> None:
        super().__init__()
        self.refusal = error_reply(503, "the queue is full", "", "try again later")
        self.known: list[weakref.ref[Pending]] = []

    def submit(self, request: Request, deliver: Deliver) -> Pending:  # type: ignore[override]
        super().submit(request, deliver)
        self.requests.clear()
        pending = Pending(deliver)
        self.known.append(weakref.ref(pending))
        return pending


@in_loop
async def test_a_request_that_is_refused_at_once_leaves_no_garbage() -> None:
    """Its body may be large, and an overloaded task refuses many."""
    task = RefusingTask()
    async with fronted(task) as front:
        gc.collect()
        gc.disable()
        try:
            assert (await front.ask("POST", "/tasks/report", [], b"{}")).status == 503
            await turns(lambda: [each() for each in task.known] == [None])
        finally:
            gc.enable()


@in_loop
async def test_a_caller_that_goes_on_sending_requests_without_end_reads_why_it_is_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late") + 6 * MAX_PIPELINED * message("GET", "/a"))
        await turns(lambda: len(server.echo.asked) == MAX_PIPELINED + 1)
        await server.let_go()
        response = answers(await reader.read())
    assert [each.status for each in response] == [200] * (MAX_PIPELINED + 1) + [503]


@in_loop
async def test_no_more_is_read_while_requests_wait_for_their_turn() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("GET", "/late") + 5 * message("GET", "/a"))
        await turns(lambda: len(server.echo.asked) == 6)
        connection = await server.connection()
        assert not connection.transport.is_reading()
        writer.write(message("GET", "/b"))
        await server.let_go()
        await reader.readuntil(b"GET /b ")
        assert connection.transport.is_reading()


# Responses in pieces


@in_loop
async def test_a_response_in_pieces_is_chunked() -> None:
    async with running() as server:
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
    async with running() as server:
        server.echo.gate.set()
        reader, writer = await server.connect()
        writer.write(b"GET /pieces HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"connection: close\r\n\r\nonetwo")


@in_loop
async def test_the_pieces_end_when_the_caller_hangs_up() -> None:
    async with running() as server:
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
    async with running() as server:
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
    async with running() as server:
        reader, writer = await server.connect(limit=1000)
        writer.write(message("GET", "/large"))
        connection = await server.connection()
        await turns(lambda: connection.transport.get_write_buffer_size() > 1_000_000)
        began = server.server.now()
        for looks in range(1, 4):  # the system holds the rest
            left = connection.transport.get_write_buffer_size()
            await reader.readexactly(3_000_000)
            await turns(partial(_has_less_to_send, connection, left))
            connection.check_time(began + 50 * looks)
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
        response = await server.talk(message("POST", "/refused", (), bytes(2_000_000)) + GET)
    assert [each.body for each in response] == [b"POST /refused ", b"GET / "]
