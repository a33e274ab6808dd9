"""A triggered task: one run of the pipeline for each call (reference, section 5.2)."""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
from collections.abc import Callable

from engine.errors import ConfigurationError
from engine.plan.plan import Plan
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.definition.task import Task
from engine.tasks.front.head import METHODS, method_not_allowed
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.pool.hosted_task import RETRY_AFTER, HostedTask
from engine.tasks.pool.job import JobError, no_response
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.run import HostedRun
from engine.tasks.pool.staffing import for_runs
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.triggered.call_parameters import call_parameters, caller_values
from engine.tasks.wire.messages import Request, RunFailure, RunOpening, Start
from engine.tasks.worker.failures import failure_of

log = logging.getLogger(__name__)

_BODILESS = (204, 304)
_METHODS = tuple(method for method in METHODS if method != "OPTIONS")


class TriggeredTask(HostedTask):
    """Answers calls with runs."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        pool = Pool(task, for_runs(task, warm=True), _opening(task, plan), statistics)
        super().__init__(task, plan, statistics, pool)
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Task[None]] = {}

    async def reload(self, task: Task, plan: Plan) -> bool:
        if not await self.pool.reload(task, for_runs(task, warm=True), _opening(task, plan)):
            return False
        self.task, self.plan = task, plan
        return True

    def submit(self, request: Request, deliver: Callable[[Reply], None]) -> HostedRun:
        """Call `deliver` once with the result of a run."""
        run = self._run_for(request)

        async def call() -> None:
            try:
                deliver(await self._answer(request, run))
            finally:
                del self._calls[request.id]

        self._calls[request.id] = asyncio.create_task(call(), name=f"{self.task.name} call")
        return run

    def withdraw(self, request: int) -> None:
        """Nobody waits for the result any more: abort the run."""
        if request in self._calls:
            self._calls[request].cancel()

    async def answer(self, request: Request) -> Reply:
        """The result of a run: complete if it is small, otherwise a StreamedBody to `aclose`."""
        return await self._answer(request, self._run_for(request))

    async def _answer(self, request: Request, run: HostedRun) -> Reply:
        if request.head.method not in _METHODS:
            return method_not_allowed(request.head.method, _METHODS)
        if not self.task.overlap and (self.in_flight or self.queue_depth):
            return error_reply(
                409, "a run is already in progress", "", "try again when it has ended"
            )
        self.pool.submit(run)
        try:
            body = await run.complete_body()
            bodiless = request.head.method == "HEAD" or run.status in _BODILESS
            if body is None and bodiless:
                await run.ended()
        except BaseException:  # raised again; also if the caller has gone
            self.pool.withdraw(run.id)
            raise
        if run.end is not None and run.end.failure is not None:
            return _failed(run.end.failure)
        if bodiless:
            return Reply(run.status, run.headers, b"")
        return Reply(
            run.status, run.headers, StreamedBody(run, self.pool) if body is None else body
        )

    def _run_for(self, request: Request) -> HostedRun:
        now = asyncio.get_running_loop().time()
        deadline = request.deadline or now + self.task.timeouts.request
        return HostedRun(
            next(self._numbers),
            lambda number: self._start(number, request),
            no_response(deadline - now),
            deadline=deadline,
            tag=request.tag,
        )

    def _start(self, number: int, request: Request) -> Start:
        claimed = {} if self.task.jwt is None else self.task.jwt.parameters
        given = call_parameters(self.plan, self.task.parameters, request, claimed)
        said = frozenset(caller_values(self.plan, request, claimed))
        rules = FileRules(said, allow_outside=self.task.allow_outside)
        try:
            identity = identify(self.plan, given, files=rules, request=request.tag)
            return Start(number, identity, request)
        except ConfigurationError as error:
            about = {"task": self.task.name, "request_id": request.tag.id}
            log.error("run could not be started: %s", error, extra=about)
            raise JobError(failure_of(error)) from None


class StreamedBody:
    """A large result, read while the run goes on; the pipeline waits for its reader."""

    def __init__(self, run: HostedRun, pool: Pool) -> None:
        self._run = run
        self._pool = pool

    def __aiter__(self) -> StreamedBody:
        return self

    async def __anext__(self) -> bytes:
        """Raises ExecutionError if the run fails: then what was read is incomplete."""
        piece = await self._run.next_piece()
        if not piece:
            raise StopAsyncIteration
        return piece

    @property
    def held(self) -> int:
        """Bytes that wait for the reader."""
        return self._run.held

    async def aclose(self) -> None:
        """The reader has gone: abort the run."""
        self._pool.withdraw(self._run.id)


def _failed(failure: RunFailure) -> Reply:
    headers = [("retry-after", RETRY_AFTER)] if failure.status == 503 else []
    reply = error_reply(failure.status, failure.error, failure.reason, failure.resolution, headers)
    if failure.status < 500 or failure.status == 503:
        return reply
    return Reply(reply.status, reply.headers, reply.body, "failed")


def _opening(task: Task, plan: Plan) -> bytes:
    opening = RunOpening(plan, task.status_from_document, task.input_schema)
    return pickle.dumps(opening, pickle.HIGHEST_PROTOCOL)
