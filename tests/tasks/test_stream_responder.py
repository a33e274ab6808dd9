"""The responses of an instance that streams, without a process: windows, stalls and bounds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.tasks.wire.messages import (
    Request,
    RequestHead,
    Response,
    ResponseEnd,
    ResponseHead,
    ResponsePiece,
    RunFailure,
)
from engine.tasks.worker import streaming_responder
from engine.tasks.worker.stream_formats import EVENTS, LINES, format_for
from engine.tasks.worker.streaming_responder import WINDOW, StreamingResponder
from tests.tasks.hosting import in_loop, turns

LARGE = {"content": {"pad": "x" * WINDOW}}


class Streamed:
    """A responder, what it has sent, and the requests that it has abandoned."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.abandoned: list[int] = []
        self.responder = StreamingResponder(self.sent.append, self.abandoned.append)

    def admit(self, number: int, *headers: tuple[str, str]) -> None:
        self.responder.admit(
            Request(number, RequestHead("POST", "/", headers=[*headers]).packed(), b"")
        )

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.sent]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, LINES),
        ("*/*", LINES),
        ("application/json", LINES),
        ("text/html, Text/Event-Stream;q=0.9", EVENTS),
    ],
)
def test_events_are_for_callers_that_name_them(accept: str | None, form: Any) -> None:
    headers = [] if accept is None else [("accept", accept)]
    assert format_for(headers) is form


@in_loop
async def test_a_response_begins_with_its_first_document_and_ends_once() -> None:
    it = Streamed()
    it.admit(1)
    it.responder.answered(1, [{"content": 1, "status": 202, "Content-Type": "text/x", "x-a": "b"}])
    it.responder.answered(1, [{"n": 2}])
    it.responder.filtered(1)
    it.responder.filtered(1)
    it.responder.answered(1, [{"n": 3}])
    head, first, second, end = it.sent
    assert head == ResponseHead(1, 202, [("x-a", "b"), *LINES.headers])
    assert (first.data, second.data) == (b"1\n", b'{"n":2}\n')
    assert end == ResponseEnd(1)


@in_loop
async def test_a_request_without_documents_gets_a_response_in_one_piece() -> None:
    it = Streamed()
    it.admit(1)
    it.admit(2)
    it.responder.filtered(1)
    it.responder.failed(2, {"error": "no", "reason": "why"})
    filtered, failed = (each for each in it.sent if isinstance(each, Response))
    assert (filtered.status, failed.status) == (204, 500)


@in_loop
async def test_a_document_that_cannot_be_sent_ends_the_response_with_an_error() -> None:
    it = Streamed()
    it.admit(1)
    it.responder.answered(1, [{"n": 1}])
    it.responder.answered(1, [{"n": float("nan")}])
    ends = [each for each in it.sent if isinstance(each, ResponseEnd)]
    assert isinstance(ends[0].failure, RunFailure)
    assert it.abandoned == [1]
    it.responder.filtered(1)
    assert it.kinds().count("ResponseEnd") == 1


@in_loop
async def test_the_pipeline_waits_while_a_caller_is_behind() -> None:
    it = Streamed()
    it.admit(1)
    it.responder.answered(1, [{"n": 1}])
    assert it.responder.room() is None
    it.responder.answered(1, [LARGE])
    room = it.responder.room()
    assert room is not None
    it.responder.taken(1, 10)
    assert not room.done()
    it.responder.taken(1, WINDOW)
    await room
    assert it.responder.room() is None


@in_loop
async def test_nobody_waits_for_a_caller_that_has_gone_or_has_all() -> None:
    it = Streamed()
    for number in (1, 2):
        it.admit(number)
        it.responder.answered(number, [LARGE])
    room = it.responder.room()
    assert room is not None
    it.responder.forget(1)
    assert not room.done()
    await asyncio.to_thread(it.responder.filtered, 2)
    await room
    it.responder.answered(1, [LARGE])
    assert it.kinds().count("ResponsePiece") == 2
    it.responder.filtered(1)
    assert it.sent[-1] == ResponseEnd(1)


@in_loop
async def test_a_caller_that_reads_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming_responder, "STALLED_SECONDS", 0.02)
    monkeypatch.setattr(streaming_responder, "_LOOK_SECONDS", 0.005)
    it = Streamed()
    it.admit(1)
    it.responder.answered(1, [LARGE])
    assert it.responder.room() is not None
    await turns(lambda: it.abandoned == [1])
    ends = [each for each in it.sent if isinstance(each, ResponseEnd)]
    assert ends[0].failure is not None
    assert ends[0].failure.error == "the response was read too slowly"
    assert it.responder.room() is None


@in_loop
async def test_what_snaps_make_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming_responder, "MAX_BACKLOG", 2 * WINDOW)
    it = Streamed()
    it.admit(1)
    for _ in range(5):
        it.responder.answered(1, [LARGE])
    pieces = [each for each in it.sent if isinstance(each, ResponsePiece)]
    assert len(pieces) == 2
    assert it.abandoned == [1]
