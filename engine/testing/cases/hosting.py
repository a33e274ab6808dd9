"""Run a case as a task: its requests become documents, and its responses what callers would get.

There is no server and no process: an ultra pipeline gets its requests one by one, a triggered task
runs once for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from engine.documents import Batch, Document, Item
from engine.errors import DataError, EngineError
from engine.plan.plan import Plan, Port
from engine.run.lineage import Ledger
from engine.run.observer import Source
from engine.sdk.http import HttpResponse
from engine.tasks.definition.task import Task
from engine.tasks.front.head import method_not_allowed
from engine.tasks.front.reply import Reply, failure_reply
from engine.tasks.pool.job import JobError
from engine.tasks.triggered.call_parameters import call_parameters, caller_values
from engine.tasks.wire.messages import Headers, Request, RequestHead, Response
from engine.tasks.worker.answers import Answers
from engine.tasks.worker.body_schema import schema_of
from engine.tasks.worker.documents import (
    described,
    error_response,
    request_document,
    request_stream,
    response_of,
)
from engine.tasks.worker.refusals import BadRequest, failure_of
from engine.tasks.worker.results import result_of
from engine.tasks.worker.run_process import inputs_of
from engine.testing.cases.case import HostedTask, SentRequest
from engine.testing.cases.recording import Recorder

PATIENCE = 10.0
"""Seconds to wait for the response to a request before the next one is sent."""

Outcome = tuple[list[HttpResponse | None], EngineError | None]
"""The response to each request, None if there was none; and why the run failed, if it did."""


class RunsPlan(Protocol):
    """Runs the plan of the case once, and returns why it failed, if it did."""

    async def __call__(
        self,
        parameters: Mapping[str, str] = ...,
        inputs: Mapping[str, Source] = ...,
        ledger: Ledger | None = None,
    ) -> EngineError | None: ...


async def call_task(plan: Plan, task: HostedTask, recorder: Recorder, run: RunsPlan) -> Outcome:
    """Send the requests of a case."""
    requests = [_request(n, each, task.task) for n, each in enumerate(task.requests)]
    if task.task.type == "triggered":
        return [await _triggered(plan, task.task, each, recorder, run) for each in requests], None
    ultra = _Ultra(plan, task.task, requests)
    recorder.take = ultra.answers.take
    failure = await run(inputs={str(plan.open_inputs[0]): ultra}, ledger=ultra.ledger)
    ultra.close()
    return ultra.responses, failure


class _Ultra:
    """The live input of an ultra pipeline, and the listener of its ledger."""

    def __init__(self, plan: Plan, task: Task, requests: Sequence[Request]) -> None:
        self.responses: list[HttpResponse | None] = [None] * len(requests)
        self.ledger = Ledger(self)
        self.answers = Answers(self.ledger, stray=lambda port: None)
        self._task = task
        self._schema = schema_of(task.input_schema)
        self._requests = requests
        self._is_binary = plan.takes_binary(plan.open_inputs[0])
        self._answered = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def run(self, push: Callable[[Batch], None]) -> None:
        for request in self._requests:
            if request.head.method not in self._task.allowed_methods:
                self.responses[request.id] = _not_allowed(self._task, request)
                continue
            try:
                items = self._items(request)
            except BadRequest as error:
                texts = error.failure.texts
                self._respond(error_response(request.id, error.status, texts, "refused"))
                continue
            self._answered.clear()
            self.ledger.admit([request.id])
            push(Batch(items, [frozenset((request.id,))] * len(items)))
            await self._wait_for(request)

    async def _wait_for(self, request: Request) -> None:
        """A snap may keep a request for later: then the next one is sent meanwhile."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self.responses[request.id] is None:
                    await self._answered.wait()
                    self._answered.clear()
        except TimeoutError:
            return

    def close(self) -> None:
        """The pipeline has ended: no more responses will come."""
        self.ledger.close()

    def _items(self, request: Request) -> list[Item]:
        if self._is_binary:
            return request_stream(request, self._task.name)
        document = request_document(request, self._task.name)
        if self._schema is not None:
            self._schema.check_request(document)
        return [document]

    # The listener of the ledger

    def answered(self, request: int, items: list[Item]) -> None:
        try:
            self._respond(response_of(request, items))
        except DataError as error:
            self.failed(request, described(error))

    def filtered(self, request: int) -> None:
        self._respond(Response(request, self._task.filtered_status, [], b"", "filtered"))

    def failed(self, request: int, error: Document) -> None:
        self._respond(error_response(request, 500, error.get("reply", error), "failed"))

    def _respond(self, response: Response) -> None:
        headers = tuple(response.headers)
        self.responses[response.id] = HttpResponse(
            response.status, headers=headers, body=response.body
        )
        self._loop.call_soon_threadsafe(self._answered.set)


async def _triggered(
    plan: Plan, task: Task, request: Request, recorder: Recorder, run: RunsPlan
) -> HttpResponse:
    if request.head.method not in task.allowed_methods:
        return _not_allowed(task, request)
    try:
        parameters = call_parameters(plan, task.parameters, caller_values(plan, request))
        inputs = inputs_of(plan, request, schema_of(task.input_schema))
    except (JobError, BadRequest) as error:
        return _sent(failure_reply(error.failure))
    result = result_of(plan, status_from_document=task.status_from_document)
    body = bytearray()

    def take(port: Port, batch: Batch) -> None:
        body.extend(result.add(batch))

    recorder.take = take
    failure = await run(parameters=parameters, inputs=inputs)
    if failure is not None:
        return _sent(failure_reply(failure_of(failure)))
    body += result.end()
    return HttpResponse(result.status, headers=tuple(result.headers), body=bytes(body))


def _not_allowed(task: Task, request: Request) -> HttpResponse:
    return _sent(method_not_allowed(request.head.method, task.allowed_methods))


def _sent(reply: Reply) -> HttpResponse:
    assert isinstance(reply.body, bytes)  # that of an error is never streamed
    return HttpResponse(reply.status, headers=tuple(reply.headers), body=reply.body)


def _request(number: int, sent: SentRequest, task: Task) -> Request:
    headers: Headers = [(name.lower(), value) for name, value in sent.headers]
    if task.is_guarded:  # as on a server, where this is no business of the pipeline
        headers = [each for each in headers if each[0] != "authorization"]
    path = f"/tasks/{sent.task}{sent.path_info}"
    head = RequestHead(sent.method, path, sent.path_info, sent.query, headers)
    return Request(number, head.packed(), sent.body)
