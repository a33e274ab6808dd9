"""A run as a job of the pool: a head, pieces of a body, an end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from engine.errors import ExecutionError
from engine.request_tags import NO_TAG, RequestTag
from engine.tasks.pool.job import NEVER, Job
from engine.tasks.wire.messages import (
    Ended,
    Headers,
    ResponseHead,
    ResponsePiece,
    RunFailure,
    Start,
)

BUFFERED = 1024 * 1024
"""Bytes of a result that the server holds; a result of that size is sent complete or not at all."""


class HostedRun(Job):
    """A run of a triggered or scheduled task. `held` is the size of the pieces that wait.

    `start` is called when its turn comes, and may raise JobError. `seconds` is the time that the
    run may take once it has begun.
    """

    __slots__ = ("_changed", "_pieces", "_seconds", "_start", "end", "headers", "held", "status")

    def __init__(
        self,
        number: int,
        start: Callable[[int], Start],
        too_late: RunFailure,
        *,
        deadline: float = NEVER,
        seconds: float | None = None,
        tag: RequestTag = NO_TAG,
    ) -> None:
        super().__init__(number, deadline, too_late, tag=tag)
        self.status = 0
        self.headers: Headers = []
        self.end: Ended | None = None
        self.held = 0
        self._start = start
        self._seconds = seconds
        self._pieces: deque[bytes] = deque()
        self._changed = asyncio.Event()

    # For the task

    async def ended(self) -> Ended:
        """Wait for the end, and discard the output before it."""
        while self.end is None:
            self._drop_pieces()
            await self._change()
        return self.end

    async def complete_body(self) -> bytes | None:
        """The complete body at the end of the run; None as soon as it is too large to hold."""
        while self.end is None:
            if self.held > BUFFERED:
                return None
            await self._change()
        return b"".join(self._pieces)

    async def next_piece(self) -> bytes:
        """The next bytes of the body, empty at its end. Raises ExecutionError if the run fails."""
        while not self._pieces and self.end is None:
            await self._change()
        if self.end is not None and self.end.failure is not None:
            self._drop_pieces()
            raise ExecutionError(f"{self.end.failure.error}: the result is incomplete")
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self.held -= len(piece)
        if self.held <= BUFFERED // 2:
            self._read_on()
        return piece

    # For the pool

    def message(self, now: float) -> Start:
        start = self._start(self.id)
        if self._seconds is not None:
            self.deadline = now + self._seconds
        return start

    def take(self, message: object) -> bool:
        if isinstance(message, ResponseHead):
            self.status, self.headers = message.status, message.headers
        elif isinstance(message, ResponsePiece):
            self._pieces.append(message.data)
            self.held += len(message.data)
            if self.held > BUFFERED and self.process is not None:
                self.process.channel.pause()
            self._changed.set()
        elif isinstance(message, Ended):
            self._read_on()
            self._finish(message)
        return self.end is not None

    def fail(self, failure: RunFailure) -> None:
        self._finish(Ended(self.id, {}, failure.reason or failure.error, failure))

    def lost(self, reason: str) -> RunFailure:
        return RunFailure(500, "the run failed", reason)

    def _finish(self, end: Ended) -> None:
        """The run is over; its output can still be read."""
        self.end, self.process = end, None
        self._changed.set()

    def _drop_pieces(self) -> None:
        self._pieces.clear()
        self.held = 0
        self._read_on()

    def _read_on(self) -> None:
        if self.process is not None:
            self.process.channel.resume()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
