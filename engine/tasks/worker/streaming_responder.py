"""The responses of an instance that streams: each document leaves as soon as it is there.

The front says how much its callers have read. While one of them is more than WINDOW bytes behind,
the pipeline waits for it, and with it the script; a caller that reads nothing for STALLED_SECONDS
is given up, since others wait behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.documents import Document, Item
from engine.errors import DataError
from engine.run.numbered_tags import NumberedTags
from engine.sdk import to_json
from engine.tasks.wire.messages import (
    LogLine,
    Request,
    Response,
    ResponseEnd,
    ResponseHead,
    ResponsePiece,
    RunFailure,
)
from engine.tasks.worker.documents import described, response_head
from engine.tasks.worker.responder import Responder
from engine.tasks.worker.stream_formats import StreamFormat, format_for

WINDOW = 128 * 1024
"""Bytes of a response that may be on their way to its caller."""

MAX_BACKLOG = 64 * 1024 * 1024
"""Bytes that a request may make at once, in snaps that cannot wait."""

STALLED_SECONDS = 10.0
_LOOK_SECONDS = 1.0

Send = Callable[[Response | ResponseHead | ResponsePiece | ResponseEnd | LogLine], None]


class _Stream:
    """The response to one request. `unread`: bytes that its caller has not read, as far as known.

    `gone`: nobody reads it; `moved` is when its caller has read something last.
    """

    __slots__ = ("begun", "format", "gone", "moved", "unread")

    def __init__(self, form: StreamFormat) -> None:
        self.format = form
        self.begun = self.gone = False
        self.unread = 0
        self.moved = 0.0


class StreamingResponder(Responder):
    """`abandon` is called with a request for which the pipeline need not go on."""

    def __init__(
        self, send: Send, abandon: Callable[[int], None], tags: NumberedTags | None = None
    ) -> None:
        super().__init__(send, tags)
        self._send_part = send
        self._abandon = abandon
        self._loop = asyncio.get_running_loop()
        self._streams: dict[int, _Stream] = {}
        self._full: dict[int, _Stream] = {}
        self._room: asyncio.Future[None] | None = None

    def admit(self, request: Request) -> None:
        """The request enters the pipeline."""
        self._streams[request.id] = _Stream(format_for(request.head.headers))

    def room(self) -> asyncio.Future[None] | None:
        """What to wait for before more is made; None if every caller keeps up."""
        if self._full and self._room is None:
            self._room = self._loop.create_future()
            self._loop.call_later(_LOOK_SECONDS, self._end_stalled)
        return self._room

    # From the front

    def taken(self, request: int, size: int) -> None:
        stream = self._streams.get(request)
        if stream is not None:
            stream.unread -= size
            stream.moved = self._loop.time()
            if stream.unread <= WINDOW // 2:
                self._release(request)

    def forget(self, request: int) -> None:
        """Nobody reads the response any more."""
        stream = self._streams.get(request)
        if stream is not None:
            stream.gone = True
            self._release(request)

    # From the ledger

    def answered(self, request: int, items: list[Item]) -> None:
        stream = self._streams.get(request)
        document = items[0]
        if stream is None or stream.gone or not isinstance(document, dict):
            return
        try:
            head = None if stream.begun else response_head(document)
            content = document.get("content", document)
            data = stream.format.document(to_json(content, "the response"))
        except DataError as error:
            self._break_off(request, described(error))
            return
        if head is not None:
            stream.begun = True
            headers = [each for each in head[1] if each[0] not in _OURS]
            headers += stream.format.headers
            self._send_part(ResponseHead(request, head[0], headers))
        self._send_part(ResponsePiece(request, data))
        stream.unread += len(data)
        if stream.unread > WINDOW and request not in self._full:
            self._full[request] = stream
            stream.moved = self._loop.time()
        if stream.unread > MAX_BACKLOG:
            self._break_off(request, _TOO_FAST)

    def filtered(self, request: int) -> None:
        stream = self._end(request)
        if stream is not None and stream.begun:
            self._send_part(ResponseEnd(request))
        elif stream is not None:
            super().filtered(request)

    def failed(self, request: int, error: Document) -> None:
        stream = self._end(request)
        if stream is not None and stream.begun:
            self._send_part(ResponseEnd(request, _failure(error.get("reply", error))))
            self.log_failure(request, error)
        elif stream is not None:
            super().failed(request, error)

    def _end(self, request: int) -> _Stream | None:
        """May be called from any thread."""
        stream = self._streams.pop(request, None)
        if stream is not None and request in self._full:
            self._loop.call_soon_threadsafe(self._release, request)
        return stream

    def _break_off(self, request: int, error: Document) -> None:
        """The caller learns of the error now; the pipeline need not go on."""
        self.failed(request, error)
        self._abandon(request)

    def _release(self, request: int) -> None:
        self._full.pop(request, None)
        if not self._full and self._room is not None:
            if not self._room.done():  # who waited for it has been cancelled
                self._room.set_result(None)
            self._room = None

    def _end_stalled(self) -> None:
        now = self._loop.time()
        for request, stream in list(self._full.items()):
            if now - stream.moved >= STALLED_SECONDS:
                self._break_off(request, _TOO_SLOW)
                self._release(request)
        if self._room is not None:
            self._loop.call_later(_LOOK_SECONDS, self._end_stalled)


_OURS = ("content-type", "cache-control", "x-accel-buffering")
_TOO_SLOW: Document = {
    "error": "the response was read too slowly",
    "reason": f"its caller read nothing for {STALLED_SECONDS:g} seconds",
    "resolution": "read faster, or ask for less",
}
_TOO_FAST: Document = {
    "error": "the response is too large",
    "reason": f"its caller has more than {MAX_BACKLOG:,} bytes to read",
    "resolution": "read faster, or let a script yield the documents",
}


def _failure(texts: Document) -> RunFailure:
    names = ("error", "reason", "resolution")
    return RunFailure(500, *(str(texts.get(name, "")) for name in names))
