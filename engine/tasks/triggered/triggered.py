"""A triggered task: one run of the pipeline for each call (reference, section 5.2)."""

from __future__ import annotations

import asyncio
import itertools
import logging

from engine.errors import ConfigurationError
from engine.plan.plan import Plan
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.definition.task import Task
from engine.tasks.front.calls import Respond
from engine.tasks.front.reply import Reply, error_reply, failure_reply
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.job import JobError, no_response
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.run import HostedRun
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.triggered.call_parameters import call_parameters, caller_values
from engine.tasks.wire.messages import Request, Start
from engine.tasks.worker.refusals import failure_of

log = logging.getLogger(__name__)

_BODILESS = (204, 304)


class TriggeredTask(HostedTask):
    """Answers calls with runs."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        super().__init__(task, plan, statistics)
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Task[None]] = {}

    def submit(self, request: Request, respond: Respond) -> HostedRun:
        """Call `respond` once with the result of a run."""
        run = self._run_for(request)

        async def call() -> None:
            try:
                respond(await self._answer(request, run))
            finally:
                del self._calls[request.id]

        self._calls[request.id] = asyncio.create_task(call(), name=f"{self.task.name} call")
        return run

    def withdraw(self, request: int) -> None:
        """Nobody waits for the result any more: abort the run."""
        if request in self._calls:
            self._calls[request].cancel()

    async def answer(self, request: Request) -> Reply:
        """The result of a run: complete if it is small, otherwise a RunBody to `aclose`."""
        return await self._answer(request, self._run_for(request))

    async def _answer(self, request: Request, run: HostedRun) -> Reply:
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
            return failure_reply(run.end.failure)
        if bodiless:
            return Reply(run.status, run.headers, b"")
        return Reply(run.status, run.headers, RunBody(run, self.pool) if body is None else body)

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
        said = caller_values(self.plan, request, claimed)
        given = call_parameters(self.plan, self.task.parameters, said, claimed)
        rules = FileRules(frozenset(said), allow_outside=self.task.allow_outside)
        try:
            identity = identify(self.plan, given, files=rules, request=request.tag)
            return Start(number, identity, request)
        except ConfigurationError as error:
            about = {"task": self.task.name, "request_id": request.tag.id}
            log.error("run could not be started: %s", error, extra=about)
            raise JobError(failure_of(error)) from None


class RunBody:
    """A large result, read while the run goes on; the pipeline waits for its reader."""

    def __init__(self, run: HostedRun, pool: Pool) -> None:
        self.run = run
        self._pool = pool

    def __aiter__(self) -> RunBody:
        return self

    async def __anext__(self) -> bytes:
        """Raises ExecutionError if the run fails: then what was read is incomplete."""
        piece = await self.run.next_piece()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """The reader has gone: abort the run."""
        self._pool.withdraw(self.run.id)
