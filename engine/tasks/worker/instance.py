"""An instance of an ultra task: a process that runs one plan on the requests of the front.

Requests that arrive while the pipeline is busy wait here and enter together, so a script that takes
batches gets them under load, and a single request never waits.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from time import perf_counter

import uvloop
from msgspec.structs import replace

from engine.documents import Batch
from engine.errors import ConfigurationError, DataError, EngineError
from engine.plan.plan import Port
from engine.registry import discover
from engine.run import tracing
from engine.run.garbage_collection import relax_garbage_collection
from engine.run.lineage import Ledger
from engine.run.numbered_tags import NumberedTags
from engine.run.report import Report, SnapStatistics
from engine.run.runner import run_plan
from engine.run.secrets import Secrets
from engine.run.slices import SLICE_SECONDS, SliceSize
from engine.run.spans import SpanData
from engine.run.tracing import Tracer
from engine.script.executor import Executor
from engine.sdk.results import BATCH_SIZE
from engine.tasks.wire.channel import MessageChannel
from engine.tasks.wire.messages import (
    AttachTap,
    Counts,
    DetachTap,
    Failed,
    Finish,
    Forget,
    FromWorker,
    InstanceOpening,
    LogLine,
    Open,
    Ready,
    Request,
    Response,
    ResponseEnd,
    Spans,
    Taken,
    ToWorker,
)
from engine.tasks.worker.admission import Admission
from engine.tasks.worker.answers import Answers
from engine.tasks.worker.documents import (
    described,
)
from engine.tasks.worker.process_taps import ProcessTaps
from engine.tasks.worker.responder import Responder
from engine.tasks.worker.streaming_responder import StreamingResponder

COUNTS_INTERVAL = 1.0
"""Seconds between two reports of the snaps' counts."""


def main(connection: socket.socket) -> None:
    """The entry point of the process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_serve(connection))
    sys.exit(code)


async def _serve(connection: socket.socket) -> int:
    instance = Instance()
    await instance.channel.connect(connection)
    return await instance.serve()


class Instance:
    """Runs the plan: also its live source and its observer."""

    def __init__(self) -> None:
        self.channel = MessageChannel(ToWorker, self._receive, self._hang_up, self._take_requests)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._opened: asyncio.Future[InstanceOpening] = self._loop.create_future()
        self._task: asyncio.Task[int] | None = None
        self._arrived: deque[Request] = deque()
        self._push: Callable[[Batch], None] | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._finishing = False
        self._slice_size = SliceSize()
        self._tags = NumberedTags()
        self._tracer = Tracer() if tracing.is_on() else None
        self._responder = Responder(self._send, self._tags)
        self._streaming: StreamingResponder | None = None
        self._taps = ProcessTaps(self._send)
        self._report: Report | None = None
        self._sent_counts: list[SnapStatistics] = []

    async def serve(self) -> int:
        """The exit code: 1 if the pipeline failed, 0 if the front has let it finish or has gone."""
        self._task = asyncio.current_task()
        try:
            opening = await self._opened
            return await self._run_plan(opening)
        except asyncio.CancelledError:  # the front has gone
            return 0
        finally:
            self._task = None
            self.channel.close()
            await self.channel.closed()

    async def _run_plan(self, opening: InstanceOpening) -> int:
        self._prepare(opening)
        reporting = asyncio.create_task(self._send_counts_repeatedly())
        failure: EngineError | None
        try:
            _, failure = await run_plan(
                opening.plan,
                discover(),
                opening.identity,
                observer=self,
                scripts=Executor(),
                inputs={str(opening.port): self},
                ledger=self._ledger,
                taps=self._taps.of_run(opening.plan),
                tracer=self._tracer,
            )
        except ConfigurationError as error:
            failure = error
        finally:
            reporting.cancel()
            self._send_counts()
        if failure is not None:
            self._responder.flush_log(last=True)
            self.channel.send(Failed(str(failure), fatal=isinstance(failure, ConfigurationError)))
            return 1
        self._fail_unanswered()
        self._responder.flush_log(last=True)
        return 0

    def _prepare(self, opening: InstanceOpening) -> None:
        admit = None
        if opening.streams:
            self._responder = self._streaming = StreamingResponder(
                self._send, lambda request: self._ledger.abandon(request), self._tags
            )
            admit = self._streaming.admit
        self._responder.filtered_status = opening.filtered_status
        self._ledger = Ledger(self._responder, self._tags, streams=opening.streams)
        self._answers = Answers(self._ledger, self._note_stray)
        self._admission = Admission(opening, self._ledger, self._responder, admit, self._tracer)

    def _fail_unanswered(self) -> None:
        """The pipeline has ended: a request without a response will never get one."""
        error = DataError(
            "the pipeline lost the request",
            "it ended without a response to it",
            "a snap held documents back; let it emit or drop each of them",
        )
        for request in self._ledger.close():
            self._responder.failed(request, described(error))

    # From the front

    def _receive(self, message: ToWorker) -> None:
        if isinstance(message, Request):
            self._arrived.append(message)
        elif isinstance(message, Forget):
            self._forget(message.id)
        elif isinstance(message, Taken):
            if self._streaming is not None:
                self._streaming.taken(message.id, message.size)
        elif isinstance(message, AttachTap | DetachTap):
            self._taps.receive(message)
        elif isinstance(message, Finish):
            self._finishing = True
        elif isinstance(message, Open):
            self._opened.set_result(pickle.loads(message.opening))  # our own front

    def _forget(self, number: int) -> None:
        """Nobody waits for the response: do not begin the request, or tell the snaps."""
        for request in self._arrived:
            if request.id == number:
                self._arrived.remove(request)
                self._responder.filtered(number)
                return
        self._ledger.abandon(number)
        if self._streaming is not None:
            self._streaming.forget(number)

    def _hang_up(self) -> None:
        """The front has gone: nobody waits for a response any more."""
        if self._task is not None:
            self._task.cancel()

    # The live source of the pipeline

    async def run(self, push: Callable[[Batch], None]) -> None:
        """Let the requests in: the pipeline is ready for them."""
        relax_garbage_collection()
        self._push = push
        self.channel.send(Ready())
        self._take_requests()
        await self._ended

    def _take_requests(self) -> None:
        """Push the requests of one frame together, then send the responses that are ready."""
        if self._push is None:
            return
        try:
            while self._arrived:
                count = min(len(self._arrived), self._slice_size.items, BATCH_SIZE)
                batch = self._admission.batch(self._arrived.popleft() for _ in range(count))
                if batch.items and self._push_took_long(batch):
                    break
        except Exception as error:  # noqa: BLE001  # passed on to `run`
            self._push = None
            if not self._ended.done():
                self._ended.set_exception(error)
            return
        self.channel.flush()
        if self._arrived:  # responses leave before more work begins
            self._loop.call_soon(self._take_requests)
        elif self._finishing and not self._ended.done():
            self._ended.set_result(None)

    def _push_took_long(self, batch: Batch) -> bool:
        assert self._push is not None  # the pipeline is ready
        started = perf_counter()
        self._push(batch)
        seconds = perf_counter() - started
        self._slice_size.learn(len(batch), seconds)
        return seconds > SLICE_SECONDS

    # The observer of the run

    def started(self, report: Report, secrets: Secrets) -> None:
        self._report = report

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self._send(LogLine(label, text, request_id))

    def output(self, port: Port, batch: Batch) -> Awaitable[None] | None:
        self._answers.take(port, batch)
        return None if self._streaming is None else self._streaming.room()

    def finished(self, report: Report) -> None:
        """The counts have been sent already."""

    def _note_stray(self, port: Port) -> None:
        text = "emitted a document that belongs to no request; it was discarded"
        self.channel.send(LogLine(port.label, text))

    # Messages

    def _send(self, message: FromWorker) -> None:
        if self._tracer is not None and isinstance(message, Response | ResponseEnd):
            self._send_spans(self._tracer.end(message.id))
        if threading.get_ident() == self._thread:
            self.channel.send(message)
        else:
            self._loop.call_soon_threadsafe(self.channel.send, message)

    def _send_spans(self, spans: list[SpanData]) -> None:
        if spans:
            self._send(Spans(spans))

    async def _send_counts_repeatedly(self) -> None:
        while True:
            await asyncio.sleep(COUNTS_INTERVAL)
            self._send_counts()
            self._responder.flush_log()

    def _send_counts(self) -> None:
        snaps = [] if self._report is None else self._report.snaps
        counts = [replace(snap, inputs={**snap.inputs}, outputs={**snap.outputs}) for snap in snaps]
        if counts != self._sent_counts:
            self._sent_counts = counts
            self.channel.send(Counts(counts))
