"""A run and its process, as the front sees them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from engine.errors import ExecutionError
from engine.tasks.pool.process import Process, described
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.wire.channel import MessageChannel
from engine.tasks.wire.messages import (
    Ended,
    FromRunProcess,
    Headers,
    LogLine,
    OpenRuns,
    Ready,
    ResponseHead,
    ResponsePiece,
    RunFailure,
    Start,
    Tapped,
)

log = logging.getLogger(__name__)

_TARGET = "engine.tasks.worker.run_process:main"
BUFFERED = 1024 * 1024
"""Bytes of a result that the front holds; a result of that size is sent complete or not at all."""


class WorkerListener(Protocol):
    """Gives the processes runs, and is notified of the results."""

    def freed(self, worker: RunWorker) -> None: ...
    def ended(self, end: Ended) -> None: ...
    def lost(self, worker: RunWorker) -> None: ...


class Run:
    """A run: a head, pieces of a body, an end. `held` is the size of the pieces that wait."""

    def __init__(self, worker: RunWorker) -> None:
        self.status = 0
        self.headers: Headers = []
        self.end: Ended | None = None
        self._worker = worker
        self._pieces: deque[bytes] = deque()
        self.held = 0
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, seconds: float, failure: RunFailure) -> None:
        """Abort the run if it has not ended by then."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self.abort, failure)

    def abort(self, failure: RunFailure) -> None:
        """End the run if it is in progress, and its process with everything that it has started."""
        if self.end is None:
            self._worker.abort(Ended({}, failure.error, failure))

    def cancel(self) -> None:
        """Nobody wants the result any more."""
        if self.end is None:
            failure = RunFailure(503, "the run was aborted", "the caller has gone")
            self._worker.abort(Ended({}, "", failure))
        self._pieces.clear()

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
        if self.end is None and self.held <= BUFFERED // 2:
            self._worker.channel.resume()
        return piece

    # From the process

    def take(self, message: ResponseHead | ResponsePiece) -> None:
        if isinstance(message, ResponseHead):
            self.status, self.headers = message.status, message.headers
            return
        self._pieces.append(message.data)
        self.held += len(message.data)
        if self.held > BUFFERED:
            self._worker.channel.pause()
        self._changed.set()

    def settle(self, end: Ended) -> None:
        """The run is over; its output can still be read."""
        self.end = end
        if self._timer is not None:
            self._timer.cancel()
        self._changed.set()

    def _drop_pieces(self) -> None:
        self._pieces.clear()
        self.held = 0
        if self.end is None:
            self._worker.channel.resume()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class RunWorker:
    """A process that runs the plan, one run at a time. `ending` says how it ended."""

    def __init__(self, listener: WorkerListener, task: str, taps: TapBoard) -> None:
        self.run: Run | None = None
        self.ready = self.was_ready = False
        self.ending = ""
        self.process: Process | None = None
        self._listener = listener
        self._task = task
        self._taps = taps
        self.killed = False
        self._started = asyncio.Event()
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self.channel = MessageChannel(FromRunProcess, self._receive, self._on_lost)

    async def live(self, opening: OpenRuns, start_timeout: float) -> None:
        """Run the process from its start to its end."""
        try:
            self.ending = await self._live(opening, start_timeout)
        except asyncio.CancelledError:  # the loop is ending: nobody is left to notify
            if self.process is not None:
                await self.process.kill()
            raise
        self.ready = False
        self._started.set()
        self._fail_run()
        self._listener.lost(self)

    async def _live(self, opening: OpenRuns, start_timeout: float) -> str:
        try:
            self.process = await Process.start(_TARGET, self.channel, f"{self._task}: runs")
        except OSError as error:
            return f"it could not be started: {error}"
        self.channel.send(opening)
        try:
            async with asyncio.timeout(start_timeout):
                await self._started.wait()
            await self._over.wait()
        except TimeoutError:
            await self.process.kill()
            return f"it was not ready within {start_timeout:g} seconds and was killed"
        if self.killed:
            await self.process.kill()
            return "its run was aborted"
        return described(await self.process.end())

    async def started(self) -> bool:
        """Wait for the process to be ready; False if it ended first."""
        await self._started.wait()
        return self.ready

    def begin(self, start: Start) -> Run:
        if self._timer is not None:
            self._timer.cancel()
        self.run = Run(self)
        self.channel.send(start)
        return self.run

    def abort(self, end: Ended) -> None:
        """Abort the run, and kill the process."""
        self.killed = True
        self._end()
        self._settle(end)

    def finish(self) -> None:
        """Let the process end; it has no run."""
        self._end()

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Make the call unless a run begins first."""
        self._timer = asyncio.get_running_loop().call_later(seconds, call)

    def _end(self) -> None:
        self.ready = False
        self._started.set()
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()

    def _receive(self, message: FromRunProcess) -> None:
        if isinstance(message, LogLine):
            extra = {"task": self._task, "snap": message.label}
            log.info("%s", message.text, extra=extra)
        elif isinstance(message, Ready):
            self._become_ready()
        elif isinstance(message, Tapped):
            self._taps.received(message)
        elif self.run is None or self.killed:
            pass  # late messages of an aborted run
        elif isinstance(message, Ended):
            self._end_run(message)
        else:
            self.run.take(message)

    def _become_ready(self) -> None:
        if not self._over.is_set():
            self.ready = self.was_ready = True
            self._started.set()
            self._taps.joined(self.channel)
            self._listener.freed(self)

    def _end_run(self, end: Ended) -> None:
        self._settle(end)
        self.run = None
        self.channel.resume()
        self._listener.freed(self)

    def _settle(self, end: Ended) -> None:
        if self.run is not None and self.run.end is None:
            self.run.settle(end)
            self._listener.ended(end)

    def _on_lost(self) -> None:
        self._taps.left(self.channel)
        self._end()

    def _fail_run(self) -> None:
        """The process has ended in mid-run."""
        if self.run is not None:
            reason = self.ending
            self._settle(Ended({}, reason, RunFailure(500, "the run failed", reason)))
            self.run = None
