"""The body of a response that an instance sends document by document."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from engine.tasks.front.reply import ErrorCarryingBody
from engine.tasks.front.task_replies import TERSE
from engine.tasks.wire.messages import RunFailure
from engine.tasks.worker.stream_formats import HEARTBEAT_SECONDS, StreamFormat


class BodySource(Protocol):
    def taken(self, size: int) -> None:
        """The caller has read so many bytes."""
        ...

    def left(self) -> None:
        """The caller has gone before the end."""
        ...


class StreamedBody(ErrorCarryingBody):
    """Gives the caller what is there, and something now and then while there is nothing."""

    def __init__(self, form: StreamFormat, source: BodySource, request_id: str) -> None:
        self._format = form
        self._source = source
        self._request_id = request_id
        self._pieces: deque[bytes] = deque()
        self._last: bytes | None = None
        self._changed = asyncio.Event()

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self._changed.set()

    def end(self, failure: RunFailure | None = None) -> None:
        """The response is complete, or has failed: the caller is told in the body."""
        form = self._format
        if failure is not None and failure.status == 500 and self.terse:
            failure = RunFailure(500, *TERSE)
        self._last = form.end if failure is None else form.failure(failure, self._request_id)
        self._changed.set()

    async def __anext__(self) -> bytes:
        while not self._pieces and self._last is None:
            self._changed.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                return self._format.heartbeat
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._source.taken(len(data))
            return data
        if self._last:
            last, self._last = self._last, b""
            return last
        raise StopAsyncIteration

    async def aclose(self) -> None:
        if self._last is None:
            self._source.left()
