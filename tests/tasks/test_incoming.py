"""Incoming bodies: each has a limit, and so have all together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.tasks.front import incoming
from engine.tasks.front.incoming import IncomingBodies
from engine.tasks.front.reply import Reply
from tests.tasks.hosting import in_loop, turns

LIMIT = 100


class Caller:
    """Sends a body in pieces, as the test lets it."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(self, body: bytes, *, more: bool = True) -> None:
        self.messages.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MAX_INCOMING_BYTES", 150)


def reading(of: IncomingBodies, caller: Caller) -> asyncio.Task[bytes | Reply | None]:
    return asyncio.create_task(of.body([], LIMIT, caller.messages.get))


@in_loop
async def test_pieces_are_put_together() -> None:
    caller = Caller()
    caller.send(b"a")
    caller.send(b"b", more=False)
    assert await reading(IncomingBodies(), caller) == b"ab"


@in_loop
async def test_a_body_beyond_its_limit_is_refused_before_it_is_there() -> None:
    caller = Caller()
    caller.send(bytes(LIMIT + 1))
    reply = await reading(IncomingBodies(), caller)
    assert isinstance(reply, Reply)
    assert reply.status == 413


@in_loop
async def test_bodies_that_are_too_much_together_are_refused_until_others_are_done() -> None:
    bodies, first, second, third = IncomingBodies(), Caller(), Caller(), Caller()
    first.send(bytes(90))
    one = reading(bodies, first)
    await turns(first.messages.empty)
    second.send(bytes(90))
    reply = await reading(bodies, second)
    assert isinstance(reply, Reply)
    assert reply.status == 503
    assert ("connection", "close") in reply.headers
    first.send(b"", more=False)
    assert await one == bytes(90)
    third.send(bytes(90), more=False)
    assert await reading(bodies, third) == bytes(90)


@in_loop
async def test_the_body_of_a_caller_that_leaves_is_let_go() -> None:
    bodies, first, second = IncomingBodies(), Caller(), Caller()
    first.send(bytes(90))
    first.leave()
    assert await reading(bodies, first) is None
    second.send(bytes(90), more=False)
    assert await reading(bodies, second) == bytes(90)
