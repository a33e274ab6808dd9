"""The process that executes the runs of a triggered or scheduled task, one at a time.

It builds the response itself and sends it in pieces, so the front only passes bytes on. When the
front stops reading, the open output waits, and with it the pipeline.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import threading
from collections.abc import Awaitable, Mapping, Sequence
from time import monotonic

from engine.documents import Batch, Item, StreamEnd, StreamStart
from engine.errors import DataError, EngineError
from engine.plan.plan import Plan, Port
from engine.registry import Registry, discover
from engine.run.garbage_collection import relax_garbage_collection
from engine.run.report import Report
from engine.run.runner import run_plan
from engine.run.secrets import Secrets
from engine.run.tracing import RUN, Tracer
from engine.script.executor import Executor
from engine.tasks.wire.channel import END_SECONDS, MessageChannel
from engine.tasks.wire.messages import (
    AttachTap,
    Counts,
    DetachTap,
    Ended,
    Finish,
    LogLine,
    Open,
    Ready,
    Request,
    ResponseHead,
    ResponsePiece,
    RunOpening,
    Spans,
    Start,
    Tapped,
    ToWorker,
)
from engine.tasks.worker.bodies import check_empty, documents_of
from engine.tasks.worker.body_schema import BodySchema, schema_of
from engine.tasks.worker.failure_log import FailureLog
from engine.tasks.worker.http_headers import joined
from engine.tasks.worker.process_taps import ProcessTaps
from engine.tasks.worker.refusals import TOO_LATE, BadRequest, failure_of
from engine.tasks.worker.results import Result, result_of

MOST_TAPPED = 100
"""Documents of each view that a tap shows of one run. After them, snaps that can run as one
function do so again."""

PIECE = 64 * 1024
"""Bytes in a piece of a result."""


def main(connection: socket.socket) -> None:
    """The entry point of the process."""
    asyncio.run(_serve(connection))


async def _serve(connection: socket.socket) -> None:
    process = RunProcess()
    await process.channel.connect(connection)
    await process.serve()


class RunProcess:
    """Runs the plan each time the front asks; ends when the front has gone."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.channel = MessageChannel(ToWorker, self._receive, self._hang_up)
        self._taps = ProcessTaps(self._send_tapped, limit=MOST_TAPPED)
        self._opened: asyncio.Future[RunOpening] = self._loop.create_future()
        self._starts: asyncio.Queue[Start | None] = asyncio.Queue()
        self._task = asyncio.current_task()
        self._failures = FailureLog(self._send_failure)

    async def serve(self) -> None:
        try:
            opening = await self._opened
            self._schema = schema_of(opening.input_schema)
            registry = discover()
            relax_garbage_collection()
            self.channel.send(Ready())
            while (start := await self._starts.get()) is not None:
                await self._run(opening, registry, start)
                self._failures.flush()
            self._failures.flush(last=True)
            self.channel.close()
            await self.channel.closed()
        except asyncio.CancelledError:  # the front has gone
            self._task = None

    async def _run(self, opening: RunOpening, registry: Registry, start: Start) -> None:
        if start.request is not None and start.request.is_late(monotonic()):
            self.channel.send(Ended(start.id, {}, TOO_LATE.reason, TOO_LATE))
            return
        try:
            inputs = (
                {}
                if start.request is None
                else inputs_of(opening.plan, start.request, self._schema)
            )
        except BadRequest as error:
            self.channel.send(Ended(start.id, {}, error.reason, error.failure))
            return
        answer = ResultSender(self.channel, opening, start)
        tracer = Tracer(single=True) if start.identity.request.is_sampled else None
        if tracer is not None:
            tracer.begin(RUN, start.identity.request)
        report: Report | None = None
        try:
            report, failure = await run_plan(
                opening.plan,
                registry,
                start.identity,
                observer=answer,
                scripts=Executor(),
                inputs=inputs,
                taps=self._taps.of_run(opening.plan),
                tracer=tracer,
            )
            if failure is None:
                await answer.end()
        except EngineError as error:
            failure = error
        report = report or answer.report
        if report is not None:
            self.channel.send(Counts(report.snaps, complete=True))
        if tracer is not None:
            self.channel.send(Spans(tracer.end(RUN)))
        if failure is not None:
            self._failures.add({"error": str(failure)}, start.identity.request.id)
        self.channel.send(_ended(start.id, report, failure))

    def _send_failure(self, label: str, text: str, request_id: str) -> None:
        self.channel.send(LogLine(label, text, request_id, is_failure=True))

    def _receive(self, message: ToWorker) -> None:
        if isinstance(message, Start):
            self._starts.put_nowait(message)
        elif isinstance(message, AttachTap | DetachTap):
            self._taps.receive(message)
        elif isinstance(message, Finish):
            self._starts.put_nowait(None)
        elif isinstance(message, Open):
            self._opened.set_result(pickle.loads(message.opening))  # our own front

    def _send_tapped(self, message: Tapped) -> None:
        self._loop.call_soon_threadsafe(self.channel.send, message)

    def _hang_up(self) -> None:
        """The front has gone: end, even if the run cannot be interrupted."""
        if self._task is not None:
            self._task.cancel()
            ending = threading.Timer(END_SECONDS, os._exit, (1,))
            ending.daemon = True
            ending.start()


class ResultSender:
    """Observes a run and sends its output; discards it unless there is a request."""

    def __init__(self, channel: MessageChannel, opening: RunOpening, start: Start) -> None:
        self.report: Report | None = None
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._run = start.id
        self._wanted = start.request is not None
        self._result: Result = result_of(
            opening.plan, status_from_document=opening.status_from_document
        )
        self._secrets = Secrets()
        self._waiting = bytearray()
        self._begun = False

    def started(self, report: Report, secrets: Secrets) -> None:
        self.report, self._secrets = report, secrets

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self._loop.call_soon_threadsafe(self._channel.send, LogLine(label, text, request_id))

    def output(self, port: Port, batch: Batch) -> Awaitable[None] | None:
        if not self._wanted:
            return None
        try:
            self._waiting += self._result.add(batch)
        except DataError as error:
            masked = map(self._secrets.mask_text, (error.error, error.reason, error.resolution))
            raise DataError(*masked) from None
        return self._send() if len(self._waiting) >= PIECE else None

    def finished(self, report: Report) -> None:
        self.report = report

    async def end(self) -> None:
        """The run has completed: send what is left."""
        if self._wanted:
            self._waiting += self._result.end()
            await self._send()

    async def _send(self) -> None:
        """Send what is there in pieces, each once the front has read those before it."""
        data, self._waiting = self._waiting, bytearray()
        if not self._begun:
            self._begun = True
            self._channel.send(ResponseHead(self._run, self._result.status, self._result.headers))
        for start in range(0, len(data), PIECE):
            with memoryview(data) as view:
                self._channel.send(ResponsePiece(self._run, bytes(view[start : start + PIECE])))
            await self._channel.drain()


def inputs_of(
    plan: Plan, request: Request, schema: BodySchema | None = None
) -> Mapping[str, Sequence[Item]]:
    """The items of the open input. Without a body a document input gets what it gets unlinked."""
    if not plan.open_inputs:
        return {}
    port, head = plan.open_inputs[0], request.head
    if plan.takes_binary(port):
        body = (request.body,) if request.body else ()
        return {str(port): [StreamStart(joined(head.headers)), *body, StreamEnd()]}
    if request.body:
        return {str(port): documents_of(head.headers, request.body, schema)}
    check_empty(head.method, head.headers)
    if schema is not None:
        schema.check()
    return {}


def _ended(run: int, report: Report | None, failure: EngineError | None) -> Ended:
    as_dict = {} if report is None else report.as_dict()
    if failure is None:
        return Ended(run, as_dict)
    return Ended(run, as_dict, str(failure), failure_of(failure))
