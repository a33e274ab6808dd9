"""The HTTP server under many requests: those that wait for their turn, and what is kept of them."""

from __future__ import annotations

import gc
import weakref

from engine.tasks.front.calls import Respond
from engine.tasks.front.connection import (
    MAX_PIPELINED,
)
from engine.tasks.front.reply import error_reply
from engine.tasks.wire.messages import Request
from tests.tasks.echoing import GET, LIMIT, running
from tests.tasks.fronted import ManualTask, fronted
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message


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
    """A request that a pool has accepted: it knows how to respond."""

    accepted = given = 0.0

    def __init__(self, respond: Respond) -> None:
        self.respond = respond


class RefusingTask(ManualTask):
    """Refuses its requests at once, and keeps nothing of them."""

    def __init__(self) -> None:
        super().__init__()
        self.refusal = error_reply(503, "the queue is full", "", "try again later")
        self.known: list[weakref.ref[Pending]] = []

    def submit(self, request: Request, respond: Respond) -> Pending:  # type: ignore[override]
        super().submit(request, respond)
        self.requests.clear()
        pending = Pending(respond)
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
